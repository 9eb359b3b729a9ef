"""The header of a database file."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3

import attrs
import pytest

from zkpush.persist.fileheader import HEADER_BYTES, Header, is_log, owner_of

BEFORE = Header(changes=5, pages=90, schema=40, starts=3, owner=77)


def test_a_header_is_read_as_sqlite_writes_it(tmp_path: pathlib.Path) -> None:
    """Every value stands where the file format says; a log begins as one."""
    path = tmp_path / "a.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statement in (
            "PRAGMA page_size=1024",
            "PRAGMA journal_mode=WAL",
            "PRAGMA user_version=3",
            "PRAGMA application_id=2000000000",
            "CREATE TABLE a (a)",
            "CREATE TABLE b (b)",
        ):
            connection.execute(statement)
        with (tmp_path / "a.sqlite-wal").open("rb") as log:
            assert is_log(log.read(4))
        connection.execute("PRAGMA wal_checkpoint")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (schema,) = connection.execute("PRAGMA schema_version").fetchone()
    header = Header.parse(path.read_bytes()[:HEADER_BYTES])
    assert header == Header(header.changes, pages, schema, 3, 2000000000)
    assert header.changes > 0


def test_what_is_no_database_has_no_header(tmp_path: pathlib.Path) -> None:
    """Nothing, something else, and a database without a write-ahead log."""
    path = tmp_path / "a.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE a (a)")
    content = path.read_bytes()[:HEADER_BYTES]
    for other in (b"", content[:-1], bytes(HEADER_BYTES), content):
        assert Header.parse(other) is None
    assert not is_log(bytes(4))


@pytest.mark.parametrize(
    ("change", "may_follow"),
    [
        ({}, True),
        ({"pages": 91, "changes": 6}, True),
        ({"starts": 4}, True),
        ({"schema": 41, "pages": 50}, True),
        ({"owner": 78}, True),
        ({"pages": 89}, False),
        ({"changes": 4, "pages": 91}, False),
        ({"schema": 39, "pages": 91}, False),
        ({"starts": 2, "changes": 6, "pages": 91}, False),
        ({"owner": 79, "starts": 9, "changes": 9, "pages": 99, "schema": 99}, False),
        ({"owner": 0}, False),
    ],
)
def test_a_header_that_goes_back_is_another_content(
    change: dict[str, int], may_follow: bool
) -> None:
    """Only `VACUUM` leaves fewer pages; the owner is the one it was, or becomes the right one."""
    after = attrs.evolve(BEFORE, **change)
    assert after.may_follow(BEFORE, 78) is may_follow


def test_any_owner_may_follow_before_there_is_one() -> None:
    """A start finds the log of a daemon that was killed, and takes it into the file."""
    assert attrs.evolve(BEFORE, owner=79).may_follow(BEFORE, None)
    assert not attrs.evolve(BEFORE, owner=79, pages=89).may_follow(BEFORE, None)


def test_the_owner_is_a_positive_number_of_sqlite() -> None:
    """Every identity has one, and it is not the 0 of a database without an owner."""
    assert owner_of("0" * 32) == 1
    assert owner_of("f" * 32) <= 2**31 - 1
    assert owner_of(f"{2**31 - 2:032x}") == 2**31 - 1
