"""Databases on SQLite that are copies of one: to migrate takes ten times as long as most tests.

What migrations do is tested with databases that `tests.persist.conftest.open_database` opens, and
with daemons.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Iterator

import pytest

from zkpush.persist import sqlite
from zkpush.persist.migrate import migrate_thd
from zkpush.persist.sqlite import SQLite, open_sqlite

from .keys import KEY


@pytest.fixture(autouse=True, scope="session")
def new_databases_are_copies() -> Iterator[None]:
    """What stores open is of this version's schema already, if it is new."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "open_sqlite", _open_copy)
        yield


def _open_copy(url: str, key: bytes, **more: bool) -> SQLite:
    database = open_sqlite(url, key, **more)
    if key == KEY and not any(more.values()):  # maintenance sees a database as it is
        with contextlib.closing(database.engine.raw_connection()) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                _migrated().backup(connection.driver_connection)
    return database


@functools.cache
def _migrated() -> sqlite3.Connection:
    database = open_sqlite("memory:", KEY)
    migrate_thd(database)
    copy = sqlite3.connect(":memory:")
    with contextlib.closing(database.engine.raw_connection()) as connection:
        connection.driver_connection.backup(copy)
    database.close()
    return copy
