"""What somebody with the database may do to the audit log, and what a check of it says."""

from __future__ import annotations

import contextlib
import pathlib
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
from alembic import command as alembic

from zkpush.model import Page
from zkpush.persist.audit import AuditStore
from zkpush.persist.chain import Head, Row
from zkpush.persist.migrate import alembic_scripts
from zkpush.persist.vault import DataKey

from ..cli.program import misused
from ..keys import KEY
from ..persist.conftest import open_database, opened
from ..persist.contract import NOW

ROWS = 6


class Tampering:
    """Somebody who may do everything in the database, and has no key."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.forger = DataKey.make()

    @contextlib.contextmanager
    def connected(self) -> Iterator[Any]:
        """A connection on which no trigger is in the way."""
        if self.is_sqlite:
            with contextlib.closing(sqlite3.connect(self.url.partition(":///")[2])) as server:
                triggers = server.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for (name,) in triggers.fetchall():
                    server.execute(f"DROP TRIGGER {name}")
                yield server
                server.commit()
        else:
            with psycopg.connect(self.url) as server:
                for table in ("audit", "audit_head"):
                    server.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
                yield server
                for table in ("audit", "audit_head"):
                    server.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement."""
        with self.connected() as server:
            sql = statement if self.is_sqlite else statement.replace("?", "%s")
            cursor = server.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def mac(self, id_: int) -> bytes:
        """The MAC of a row, which everybody can read."""
        return bytes(self.run("SELECT mac FROM audit WHERE id = ?", id_)[0][0])

    def forge(self, id_: int) -> None:
        """Put a row with a MAC of one's own at the end, and a head that agrees."""
        row = Row(id_, NOW, "token hr", "forged", "x", None)
        mac = row.mac(self.forger, self.mac(id_ - 1))
        insert = "INSERT INTO audit (id, at, actor, action, subject, mac) VALUES (?, ?, ?, ?, ?, ?)"
        self.run(insert, id_, NOW, "token hr", "forged", "x", mac)
        self.head(id_, mac, Head(id_, mac).seal(self.forger))

    def head(self, id_: int, mac: bytes, seal: bytes | None = None) -> None:
        """Write a head, with the seal that there is unless another is forged."""
        self.run("UPDATE audit_head SET last_id = ?, last_mac = ?", id_, mac)
        if seal is not None:
            self.run("UPDATE audit_head SET seal = ?", seal)

    def cut_off(self, rows: int, *, head: bool) -> None:
        """Remove rows at the end, and set the head back to agree."""
        last = ROWS - rows
        self.run("DELETE FROM audit WHERE id > ?", last)
        if head:
            self.head(last, self.mac(last))

    def swap(self, one: int, other: int) -> None:
        """Let two rows change their places, MACs included."""
        for old, new in ((one, 1000), (other, one), (1000, other)):
            self.run("UPDATE audit SET id = ? WHERE id = ?", new, old)

    def retire(self, last: int) -> None:
        """Remove the oldest rows as retention would, without the checkpoint."""
        mac = self.mac(last)
        self.run("DELETE FROM audit WHERE id <= ?", last)
        self.run("UPDATE audit_head SET start_id = ?, start_mac = ?", last, mac)


async def recorded(url: str, rows: int = ROWS, key: bytes = KEY) -> None:
    """Let a server record some acts."""
    store = opened(url, key)

    def unit(tx) -> None:
        for number in range(rows):
            tx[AuditStore].add("token hr", "change terminal", f"terminal T{number}", None, NOW)
        tx[AuditStore].page(Page(1))
        tx[AuditStore].add("token hr", "remove terminal", "terminal T1", "x", NOW)

    await store.write(lambda tx: tx[AuditStore].add("token it", "add terminal", "T0", "x", NOW))
    await store.write(unit)
    await store.stop()


def check(data: pathlib.Path, url: str, *more: str, status: int = 0) -> str:
    """What `zkpush database check` says."""
    run = misused("--data", str(data), "database", "check", "--database", url, *more)
    assert run.returncode == status, (run.stdout, run.stderr)
    return run.stdout + run.stderr


def head(data: pathlib.Path, url: str) -> str:
    """The head that a check prints."""
    found = re.search(r"Head of the audit log: (\S+)", check(data, url))
    assert found
    return found[1]


OLD = (
    ("device T2", "remote attendance", "user 471108154", "2 fingerprints"),
    ("token hr", "read passwords", "all users", "by API from 192.0.2.7"),
    ("token hr", "read templates", "user 471108154", "by API from 192.0.2.7"),
    (
        "token hr",
        "queue command",
        "terminal T1",
        "c1: DATA UPDATE USERINFO PIN=471108154 Name=Zephyrine x=Quill Card=987654321 Passwd "
        "(not shown); by API from 192.0.2.7",
    ),
    (
        "token hr",
        "queue command",
        "terminal T1",
        "c2: SET OPTION key=x value (not shown); by API from 192.0.2.7",
    ),
    (
        "token hr",
        "queue command",
        "terminal T1",
        "c3: GetFile path=/photo/20260101-471108154.jpg; by API from h",
    ),
    ("token hr", "add file", "file 1", "Zephyrine Quill.jpg, 8 bytes; by API from h"),
    ("token hr", "add file", "file 2", "fw.bin, 8 bytes; by API from h"),
)


def before_the_chain(url: str) -> None:
    """Make a database as the revision before the chain left it, with rows in its audit log."""
    database = open_database(url)
    config, _ = alembic_scripts()
    with database.migrating() as connection:
        config.attributes.update(connection=connection, database=database)
        alembic.upgrade(config, "0010")
        connection.exec_driver_sql("DELETE FROM keys WHERE purpose IN ('audit', 'naming')")
    database.close()
    tampering = Tampering.__new__(Tampering)
    tampering.url, tampering.is_sqlite = url, url.startswith("sqlite")
    mark = "?" if tampering.is_sqlite else "%s"
    insert = (
        "INSERT INTO audit (at, actor, action, subject, detail) "  # noqa: S608 - constants
        f"VALUES ({NOW}, {', '.join([mark] * 4)})"
    )
    if tampering.is_sqlite:
        with contextlib.closing(sqlite3.connect(url.partition(":///")[2])) as server:
            server.executemany(insert, OLD)
            server.commit()
    else:
        with psycopg.connect(url) as server:
            server.cursor().executemany(insert, OLD)
