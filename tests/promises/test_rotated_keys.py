"""A rotation removes the old key from the database, and keeps what is found by an HMAC."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Collection

import psycopg
import pytest
import pytest_twisted

from zkpush.datadir import read_key
from zkpush.persist.chain import Head, Row
from zkpush.persist.migrate import migrate_thd
from zkpush.persist.vault import Vault

from ..cli.program import said, zkpush
from ..daemon.process import Daemon
from ..keys import KEY
from ..persist.conftest import open_database
from ..persist.contract import NOW
from ..postgres import OwnServer
from .tampering import Tampering, check, recorded

PEOPLE = b"".join(b"USER PIN=%d\tPasswd=12345\n" % pin for pin in range(50))
PUNCHES = b"".join(
    b"%d\t2026-01-05 08:00:00\t0\t1\t0\t0\t0" % pin + b"\tmore" * 9 + b"\n" for pin in range(50)
)


def vault_of(url: str, key: bytes = KEY) -> Vault:
    """The keys of a database."""
    database = open_database(url, key)
    try:
        return migrate_thd(database)
    finally:
        database.close()


def rotate(data: pathlib.Path, url: str) -> None:
    """Run `zkpush database rotate-key`."""
    said(zkpush("--data", str(data), "database", "rotate-key", "--database", url))


def stop(daemon: Daemon) -> None:
    """Stop a daemon, and wait for its end."""
    daemon.terminate()
    daemon.output()


def tables_with(server: OwnServer, marks: Collection[bytes]) -> set[str]:
    """The tables of a PostgreSQL server whose files on the disk have one of some marks in them."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")  # writes all pages, and removes the files of old ones
        names = {
            str(node): name
            for name, *nodes in connection.execute(
                "SELECT relname, pg_relation_filenode(oid), "
                "pg_relation_filenode(NULLIF(reltoastrelid, 0)) FROM pg_class WHERE relkind = 'r'"
            )
            for node in nodes
        }
    return {
        names.get(file.name, file.name)
        for file in (server.folder / "data" / "base").rglob("*")
        if file.is_file() and any(mark in file.read_bytes() for mark in marks)
    }


@pytest.mark.long
def test_nothing_sealed_under_the_old_key_is_left_in_tables_of_postgresql(
    own_postgres: OwnServer, tmp_path: pathlib.Path
) -> None:
    """All tables with sealed values are written anew: people, attendance, and a plugin's."""
    url = own_postgres.url
    with Daemon(tmp_path, "--database", url) as daemon:
        daemon.exchange("T1")
        assert daemon.request("POST", "cdata?SN=T1&table=OPERLOG", PEOPLE) == (200, b"OK: 50")
        assert daemon.upload("T1", PUNCHES) == (200, b"OK: 50")
        stop(daemon)
    vault = vault_of(url, read_key(tmp_path / "key"))
    with psycopg.connect(url) as connection:
        connection.execute('CREATE TABLE "notes: mine" (note BYTEA)')
        note = vault.seal(b"a note", b"a note")
        connection.execute('INSERT INTO "notes: mine" VALUES (%s)', (note,))
    tables = {"users", "attendance", "notes: mine"}
    assert tables <= tables_with(own_postgres, vault.sealing.marks)
    rotate(tmp_path, url)
    assert tables_with(own_postgres, vault.sealing.marks) == set()
    new = vault_of(url, read_key(tmp_path / "key"))
    assert tables <= tables_with(own_postgres, new.sealing.marks)


@pytest.mark.long
def test_people_and_pictures_are_found_after_a_rotation(
    empty_url: str, tmp_path: pathlib.Path
) -> None:
    """Pseudonyms in the audit log are those of before; an equal photo is not stored again."""
    photo = b"PIN=20260105080000-%d.jpg\nSN=T1\nsize=4000\nCMD=uploadphoto\0" + b"\xff\xd8" * 2000
    data, found = tmp_path / "data", []
    for number in (1, 2):
        with Daemon(data, "--database", empty_url) as daemon:
            daemon.exchange("T1")
            daemon.request("POST", "cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\n")
            asked = {"command": "DATA QUERY USERINFO", "params": {"PIN": "7"}}
            daemon.api("POST", "devices/T1/commands", asked)
            path = "cdata?SN=T1&table=ATTPHOTO"
            assert daemon.request("POST", path, photo % number)[0] == 200
            found.append(daemon.api("GET", "audit?pin=7&action=queue+command")["items"])
            photos = daemon.api("GET", "photos")["items"]
            stop(daemon)
        rotate(data, empty_url)
    assert [len(items) for items in found] == [1, 2]
    assert found[0][0] in found[1]
    assert pseudonyms(found[0]) == pseudonyms(found[1]) != set()
    assert len(photos) == 2
    assert count_pictures(empty_url) == 1


def count_pictures(url: str) -> int:
    """How many pictures are kept: as files beside SQLite, as rows in PostgreSQL."""
    if url.startswith("sqlite"):
        folder = pathlib.Path(f"{url.partition(':///')[2]}-pictures")
        return len([*folder.glob("??/*")])
    ((count,),) = Tampering(url).run("SELECT count(*) FROM pictures")
    return int(count)


def pseudonyms(items: list[dict[str, object]]) -> set[str]:
    """The pseudonyms in rows of the audit log."""
    return set(re.findall("person:[0-9a-f]+", json.dumps(items)))


@pytest_twisted.ensureDeferred
async def test_a_key_that_was_rotated_away_signs_no_row(url: str, data: pathlib.Path) -> None:
    """A row and a head that somebody makes with the old key of the audit log are found."""
    await recorded(url)
    old = vault_of(url).audit.chain
    rotate(data, url)
    new = read_key(data / "key")
    await recorded(url, key=new)
    assert "rows verified" in check(data, url)
    database = Tampering(url)
    ((last,),) = database.run("SELECT max(id) FROM audit")
    row = Row(last + 1, NOW, "token hr", "forged", "x", None)
    mac = row.mac(old, database.mac(last))
    database.run(
        "INSERT INTO audit (id, at, actor, action, subject, mac) VALUES (?, ?, ?, ?, ?, ?)",
        *(row.id, row.at, row.actor, row.action, row.subject, mac),
    )
    database.head(row.id, mac, Head(row.id, mac).seal(old))
    assert "head of the chain" in check(data, url, status=1)
    await recorded(url, key=new)
    check(data, url, status=1)


def test_pseudonyms_are_made_with_a_key_of_the_database(tmp_path: pathlib.Path) -> None:
    """The same person has another pseudonym in another database: a user ID cannot be guessed."""
    found = []
    for name in ("one", "other"):
        with Daemon(tmp_path / name) as daemon:
            daemon.exchange("T1")
            for pin in ("7", "8"):
                asked = {"command": "DATA QUERY USERINFO", "params": {"PIN": pin}}
                daemon.api("POST", "devices/T1/commands", asked)
            found.append(pseudonyms(daemon.api("GET", "audit")["items"]))
    assert [len(names) for names in found] == [2, 2]
    assert found[0].isdisjoint(found[1])
