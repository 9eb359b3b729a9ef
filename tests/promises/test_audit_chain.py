"""The audit log shows what was done to it, names people by pseudonyms only, and ends lawfully."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest
import pytest_twisted
from alembic import command as alembic
from twisted.internet.defer import gatherResults

from zkpush.datadir import read_key
from zkpush.interfaces import StoreError
from zkpush.maintenance import rotate_key
from zkpush.model import Page
from zkpush.persist.audit import AuditStore
from zkpush.persist.chain import Head, Row
from zkpush.persist.events import EventStore
from zkpush.persist.keys import ensure_vault
from zkpush.persist.migrate import alembic_scripts, migrate_thd
from zkpush.persist.vault import DataKey

from ..cli.program import misused
from ..keys import KEY
from ..persist.conftest import open_database, opened
from ..persist.contract import DAY, EVERYTHING, NOW
from ..persist.copied import Copied
from ..rig import Rig
from ..server.files import add, order

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


Act = Callable[[Tampering], object]
INSERT = "INSERT INTO audit (id, at, actor, action, subject, mac) VALUES (?, ?, 'x', 'x', 'x', ?)"
TABLE: Sequence[tuple[str, Act, str]] = (
    ("actor changed", lambda db: db.run("UPDATE audit SET actor = 'x' WHERE id = 3"), "row 3 was"),
    (
        "action changed",
        lambda db: db.run("UPDATE audit SET action = 'x' WHERE id = 3"),
        "row 3 was",
    ),
    (
        "subject changed",
        lambda db: db.run("UPDATE audit SET subject = '' WHERE id = 1"),
        "row 1 was",
    ),
    (
        "detail removed",
        lambda db: db.run("UPDATE audit SET detail = NULL WHERE id = 1"),
        "row 1 was",
    ),
    ("detail added", lambda db: db.run("UPDATE audit SET detail = 'x' WHERE id = 3"), "row 3 was"),
    ("time changed", lambda db: db.run("UPDATE audit SET at = at + 1 WHERE id = 6"), "row 6 was"),
    ("number changed", lambda db: db.run("UPDATE audit SET id = 9 WHERE id = 6"), "6 to 8 were"),
    ("first removed", lambda db: db.run("DELETE FROM audit WHERE id = 1"), "1 to 1 were removed"),
    ("one removed", lambda db: db.run("DELETE FROM audit WHERE id = 3"), "3 to 3 were removed"),
    ("some removed", lambda db: db.run("DELETE FROM audit WHERE id IN (3, 4)"), "3 to 4 were"),
    ("last removed", lambda db: db.cut_off(1, head=False), "6 to 6, at the end, were removed"),
    ("cut off", lambda db: db.cut_off(3, head=False), "4 to 6, at the end, were removed"),
    ("cut off with head", lambda db: db.cut_off(3, head=True), "head of the chain .* was changed"),
    ("all removed", lambda db: db.run("DELETE FROM audit"), "1 to 6, at the end, were removed"),
    (
        "head removed",
        lambda db: db.run("DELETE FROM audit_head"),
        "head of the chain .* was removed",
    ),
    (
        "all and head removed",
        lambda db: [db.run("DELETE FROM audit"), db.run("DELETE FROM audit_head")],
        "head of the chain .* removed",
    ),
    ("added at the end", lambda db: db.run(INSERT, 7, NOW, b""), "row 7 was"),
    ("added at the start", lambda db: db.run(INSERT, 0, NOW, b""), "row 0 was"),
    ("copied", lambda db: db.run(INSERT, 7, NOW, db.mac(6)), "row 7 was"),
    ("forged with another key", lambda db: db.forge(7), "row 7 was"),
    ("moved", lambda db: db.swap(2, 5), "row 2 was"),
    ("oldest removed as if by retention", lambda db: db.retire(3), "no checkpoint says so"),
)


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


@pytest_twisted.async_fixture(scope="module")
async def sound(databases: Copied, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with an audit log of which the check says that it is sound."""
    url = databases.make()
    await recorded(url, ROWS - 2)
    data = tmp_path_factory.mktemp("sound")
    (data / "key").write_text(KEY.hex())
    assert f"{ROWS} rows verified" in check(data, url)
    return url


@pytest.fixture
def copy(databases: Copied, sound: str) -> Iterator[str]:
    """A copy of that database."""
    url = databases.copy(sound)
    yield url
    databases.drop(url)


@pytest.mark.parametrize(
    ("act", "words"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_tampering_with_the_audit_log_is_found(
    copy: str, data: pathlib.Path, act: Act, words: str
) -> None:
    """Whatever is done to rows or head, the check fails, and says where and what to do."""
    act(Tampering(copy))
    said = check(data, copy, status=1)
    assert re.search(words, said), said
    assert "Keep a copy of the database as evidence" in said
    assert "rows verified" not in said


@pytest.mark.parametrize(
    ("act", "words"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
@pytest_twisted.ensureDeferred
async def test_a_server_that_goes_on_covers_nothing_up(
    copy: str, data: pathlib.Path, act: Act, words: str
) -> None:
    """After tampering the server goes on recording, and the check still fails."""
    act(Tampering(copy))
    await recorded(copy, 3)
    check(data, copy, status=1)


@pytest_twisted.ensureDeferred
async def test_an_older_copy_of_everything_is_found_by_a_noted_head(
    url: str, data: pathlib.Path
) -> None:
    """Rows and head that are set back together are sound in themselves."""
    await recorded(url, ROWS - 2)
    database = Tampering(url)
    before = database.run("SELECT last_id, last_mac, seal FROM audit_head")[0]
    early = head(data, url)
    await recorded(url, 3)
    noted = head(data, url)
    assert "rows verified" in check(data, url, "--head", early)
    database.run("DELETE FROM audit WHERE id > ?", ROWS)
    database.head(before[0], bytes(before[1]), bytes(before[2]))
    assert f"{ROWS} rows verified" in check(data, url)
    assert "older copy" in check(data, url, "--head", noted, status=1)
    other = f"{early[:-2]}{'00' if early[-2:] != '00' else '11'}"
    assert "not the one that was noted" in check(data, url, "--head", other, status=1)
    assert "ID:MAC" in check(data, url, "--head", "nonsense", status=1)


@pytest_twisted.ensureDeferred
async def test_nodes_that_record_at_once_make_one_chain(url: str, data: pathlib.Path) -> None:
    """The check passes while they still run, and rows stand in the order of their commits."""
    stores = [opened(url, KEY) for _ in range(3)]

    def unit(tx) -> None:
        tx[EventStore].add("news", {}, NOW)
        tx[AuditStore].add("token hr", "act", "x", None, NOW)

    await gatherResults([store.write(unit) for _ in range(20) for store in stores])
    assert "60 rows verified" in check(data, url)
    found = await stores[0].read(lambda tx: tx[AuditStore].page(EVERYTHING))
    assert [row.id for row in found] == [*range(1, 61)]
    for store in stores:
        await store.stop()


@pytest_twisted.ensureDeferred
async def test_a_chain_survives_rotations_of_the_key(url: str, data: pathlib.Path) -> None:
    """Rows of all keys verify; an old row that is changed is found, and old keys sign nothing."""
    await recorded(url)
    for _ in range(2):
        rotate_key(data, None, url, lambda *_: None)
        await recorded(url, key=read_key(data / "key"))
    assert "rows verified" in check(data, url)
    Tampering(url).run("UPDATE audit SET actor = 'x' WHERE id = 2")
    assert "row 2 was changed" in check(data, url, status=1)


def test_a_check_of_an_old_or_missing_database_says_what_to_do(
    empty_url: str, data: pathlib.Path
) -> None:
    """It creates and migrates nothing by itself; `upgrade` does."""
    said = check(data, empty_url, status=1)
    assert "there is no database" in said or "database upgrade" in said
    if empty_url.startswith("sqlite"):
        path = pathlib.Path(empty_url.partition(":///")[2])
        assert not path.exists()
        path.touch()
    upgrade = ("--data", str(data), "database", "upgrade", "--database", empty_url)
    assert "the database is empty" in misused(*upgrade).stderr
    before_the_chain(empty_url)
    assert "zkpush database upgrade" in check(data, empty_url, status=1)
    for words in (r"now; it was at 0010", r"already"):
        run = misused(*upgrade)
        assert run.returncode == 0, run.stderr
        assert re.search(words, run.stdout)
    assert "rows verified" in check(data, empty_url)


def test_a_damaged_file_is_found(tmp_path: pathlib.Path, data: pathlib.Path) -> None:
    """SQLite looks at every page; the check fails, and says what to do."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    database = open_database(url)
    migrate_thd(database)
    database.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "store.sqlite")) as database:
        root, size = database.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
            "WHERE name = 'pictures'"
        ).fetchone()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "store.sqlite").open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    said = check(data, url, status=1)
    assert "The database is damaged" in said


OLD = (
    ("device T2", "remote attendance", "user 4711", "2 fingerprints"),
    ("token hr", "read passwords", "all users", "by API from 192.0.2.7"),
    ("token hr", "read templates", "user 4711", "by API from 192.0.2.7"),
    (
        "token hr",
        "queue command",
        "terminal T1",
        "c1: DATA UPDATE USERINFO PIN=4711 Name=Zephyrine x=Quill Card=987654321 Passwd (not shown)"
        "; by API from 192.0.2.7",
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
        "c3: GetFile path=/photo/20260101-4711.jpg; by API from h",
    ),
    ("token hr", "add file", "file 1", "Zephyrine Quill.jpg, 8 bytes; by API from h"),
    ("token hr", "add file", "file 2", "fw.bin, 8 bytes; by API from h"),
)
NEEDLES = ("4711", "Zephyrine", "Quill", "987654321")


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


@pytest_twisted.ensureDeferred
async def test_rows_from_before_are_kept_without_names_and_chained(
    empty_url: str, data: pathlib.Path
) -> None:
    """An upgrade marks them, replaces people by pseudonyms, and purges what it replaced."""
    before_the_chain(empty_url)
    run = misused("--data", str(data), "database", "upgrade", "--database", empty_url)
    assert run.returncode == 0, run.stderr
    assert f"{len(OLD) + 1} rows verified" in check(data, empty_url)
    store = opened(empty_url, KEY)
    rows = await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))
    person = await store.read(lambda tx: tx[AuditStore].person("4711"))
    named = await store.read(lambda tx: tx[AuditStore].page(EVERYTHING, pin="4711"))
    await store.stop()
    assert [(row.actor, row.action) for row in rows[:-1]] == [row[:2] for row in OLD]
    assert [row.id for row in named] == [1, 3, 4]
    assert rows[0].subject == rows[2].subject == person
    assert rows[1].subject == "all users"
    assert rows[4].detail == OLD[4][3]
    assert rows[7].detail == OLD[7][3]
    assert rows[-1].action == "begin chain"
    assert f"rows up to {len(OLD)}" in rows[-1].detail
    told = json.dumps([(row.subject, row.detail) for row in rows])
    assert not any(needle in told for needle in NEEDLES)
    if empty_url.startswith("sqlite"):
        path = pathlib.Path(empty_url.partition(":///")[2])
        for file in (path, *path.parent.glob(f"{path.name}-wal")):
            assert not any(needle.encode() in file.read_bytes() for needle in NEEDLES), file
    Tampering(empty_url).run("UPDATE audit SET detail = 'x' WHERE id = 2")
    assert "row 2 was changed" in check(data, empty_url, status=1)


COMMANDS = (
    ("DATA UPDATE USERINFO", {"PIN": "4711", "Name": "Zephyrine", "Card": "987654321"}),
    ("DATA UPDATE FINGERTMP", {"PIN": "4711", "FID": "1", "Valid": "1", "TMP": "AAAA"}),
    ("DATA UPDATE BIODATA", {"Pin": "4711", "Type": "1", "Tmp": "AAAA"}),
    ("DATA DELETE USERINFO", {"PIN": "4711"}),
    ("DATA QUERY USERINFO", {"PIN": "4711"}),
    ("DATA UPDATE IDCARD", {"PIN": "4711", "IDNum": "987654321", "Name": "Zephyrine"}),
    ("DATA UPDATE Blacklist", {"IDNum": "987654321", "Name": "Zephyrine"}),
    (
        "DATA UPDATE SMS",
        {
            "MSG": "Zephyrine Quill",
            "TAG": "254",
            "UID": "1",
            "MIN": "1",
            "StartTime": "2026-01-01 00:00:00",
        },
    ),
    ("DATA UPDATE USER_SMS", {"PIN": "4711", "UID": "1"}),
    ("ENROLL_FP", {"PIN": "4711", "FID": "1"}),
    ("ENROLL_BIO", {"TYPE": "2", "PIN": "4711", "CardNo": "987654321"}),
    ("GetFile", {"path": "/photo/20260101-4711.jpg"}),
)


@pytest_twisted.ensureDeferred
async def test_the_audit_log_names_nobody(make_rig) -> None:
    """User ID, name, card, document and photo are in no row, whatever is done with a person."""
    rig: Rig = await make_rig(remote_attendance={"enabled": True})
    await rig.exchange(pushver="3.0.1")
    body = "USER PIN=4711\tName=Zephyrine\tPasswd=x\tCard=987654321\nFP PIN=4711\tFID=1\tTMP=AAAA\n"
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", body.encode())).status == 200
    queued = 0
    for name, params in COMMANDS:
        command = {"command": name, "params": params}
        made = await rig.api("POST", "/devices/T1/commands", command)
        queued += made.status == 202
    assert queued >= 10
    await add(rig, b"picture", "Zephyrine Quill.jpg")
    await rig.api("DELETE", "/files/1")
    for path in ("users", "users/4711", "users/4711/templates", "users/4711/photos"):
        assert (await rig.api("GET", f"/{path}")).status == 200
    await rig.get("cdata?SN=T1&table=RemoteAtt&PIN=4711")
    rows = await rig.store.read(
        lambda tx: [
            tuple(row)
            for row in tx.connection.exec_driver_sql(
                "SELECT actor, action, subject, detail FROM audit"
            )
        ]
    )
    assert {row[1] for row in rows} >= {"queue command", "add file", "read passwords"}
    told = json.dumps(rows)
    assert not [needle for needle in NEEDLES if needle in told]
    assert told.count("person:") >= 8


@pytest_twisted.ensureDeferred
async def test_a_person_is_found_in_the_audit_log_as_long_as_they_are_known(rig: Rig) -> None:
    """The listing resolves a pseudonym to the user ID; afterwards only the pseudonym stays."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\nUSER PIN=8\n")
    await order(rig, "DATA QUERY USERINFO", PIN="7")
    await order(rig, "DATA QUERY USERINFO", PIN="8")
    await order(rig, "DATA QUERY USERINFO", PIN="99")
    assert [item["pins"] for item in await rig.items("/audit")] == [["7"], ["8"], []]
    (found,) = await rig.items("/audit?pin=7")
    assert (found["id"], found["pins"]) == (1, ["7"])
    assert await rig.person("7") in str(found["detail"])
    await rig.store.write(lambda tx: tx.connection.exec_driver_sql("DELETE FROM users"))
    (gone,) = await rig.items("/audit?pin=7")
    assert gone == {**found, "pins": []}


async def kept(store, before: int, now: int = NOW, limit: int = 1000) -> tuple[int, list[Any]]:
    """Remove what is older; how many rows that were, and what is left."""
    count = await store.write(
        lambda tx: tx[AuditStore].forget(before, limit, "audit.keep_days = 1", now)
    )
    return count, await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))


@pytest_twisted.ensureDeferred
async def test_retention_ends_at_a_checkpoint(url: str, data: pathlib.Path) -> None:
    """Old rows go, a signed row says which, and the check goes on from there."""
    store = opened(url, KEY)
    for day in range(10):
        await store.write(
            lambda tx, day=day: tx[AuditStore].add(
                "token hr", "act", f"{day}", None, NOW + day * DAY
            )
        )
    assert (await kept(store, NOW))[0] == 0
    count, rows = await kept(store, NOW + 4 * DAY, NOW + 10 * DAY)
    assert count == 4
    assert [row.id for row in rows] == [*range(5, 12)]
    assert (rows[-1].actor, rows[-1].action, rows[-1].subject) == (
        "server",
        "checkpoint",
        "rows up to 4",
    )
    assert "audit.keep_days = 1" in rows[-1].detail
    assert "7 rows verified after the checkpoint at row 4" in check(data, url)
    count, rows = await kept(store, NOW + 8 * DAY, NOW + 20 * DAY, limit=3)
    assert (count, rows[0].id) == (3, 8)
    assert "checkpoint at row 7" in check(data, url)
    everything = NOW + 100 * DAY
    count, rows = await kept(store, everything, everything)
    assert (count, [row.action for row in rows]) == (3, ["checkpoint", "checkpoint"])
    count, rows = await kept(store, everything + DAY, everything + DAY)
    assert (count, [row.action for row in rows]) == (0, ["checkpoint", "checkpoint"])
    check(data, url)
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_retention_removes_no_evidence(url: str, data: pathlib.Path) -> None:
    """Rows that are not as they were written stay, however old."""
    await recorded(url)
    Tampering(url).run("UPDATE audit SET actor = 'x' WHERE id = 2")
    store = opened(url, KEY)
    with pytest.raises(StoreError, match="row 2 of the audit log was changed"):
        await kept(store, NOW + DAY)
    await store.stop()
    Tampering(url).cut_off(2, head=True)
    store = opened(url, KEY)
    with pytest.raises(StoreError, match="tampered"):
        await kept(store, NOW + DAY)
    assert len(await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))) == 4
    await store.stop()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_head",
        "UPDATE audit_head SET last_id = last_id - 1",
        "UPDATE audit_head SET name = 'x'",
        "DELETE FROM audit WHERE id <= 3",
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_database_refuses_to_set_the_log_back(url: str, statement: str) -> None:
    """Only the rows below the start of the chain can be removed, and it only goes forward."""
    await recorded(url)
    store = opened(url, KEY)
    with pytest.raises(StoreError, match="append-only"):
        await store.write(lambda tx: tx.connection.exec_driver_sql(statement))
    assert len(await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))) == ROWS + 2
    await store.stop()


def test_missing_keys_of_the_audit_log_are_damage(url: str, data: pathlib.Path) -> None:
    """They are not made anew: that would make every row of before a forgery."""
    database = open_database(url)
    migrate_thd(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM keys WHERE purpose = 'audit'")
        with pytest.raises(StoreError, match="keys in this database are damaged"):
            ensure_vault(connection, database.site)
    database.close()
    assert "damaged" in check(data, url, status=1)


@pytest.mark.parametrize(("setting", "left"), [({}, 3), ({"audit": {"keep_days": 30}}, 2)])
@pytest_twisted.ensureDeferred
async def test_the_log_is_kept_for_ever_unless_configured(make_rig, setting, left: int) -> None:
    """With `audit.keep_days`, the background job removes what is older."""
    rig: Rig = await make_rig(**setting)
    now = rig.registry.now()

    def unit(tx) -> None:
        for days in (100, 31, 29):
            tx[AuditStore].add("token hr", "act", f"{days} days ago", None, now - days * DAY)

    await rig.store.write(unit)
    await rig.retention.drop_audit()
    rows = await rig.store.read(lambda tx: tx[AuditStore].page(EVERYTHING))
    assert len(rows) == left
    if setting:
        assert [row.subject for row in rows] == ["29 days ago", "rows up to 2"]
        assert "2 rows" in rows[1].detail
        assert "audit.keep_days = 30" in rows[1].detail
