"""Databases in memory of this version: copies of one that the migrations made.

To run all migrations takes longer than most tests do.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Iterator
from typing import Any

from ..persist.migrate import migrate_thd
from ..persist.sqlite import SQLiteStores, open_sqlite
from ..persist.sqlite_database import SQLite
from ..persist.sqlite_url import MEMORY


def copying_stores() -> SQLiteStores:
    """Make the plugin of SQLite stores whose databases in memory are copies."""
    return SQLiteStores(_open)


def _open(url: str, key: bytes) -> SQLite:
    database = open_sqlite(url, key)
    if url == MEMORY:
        with _raw(database) as connection:
            _migrated(key).backup(connection)
    return database


@functools.cache
def _migrated(key: bytes) -> sqlite3.Connection:
    """Migrate a database once in a process for each site key, whose seals are in it."""
    database = open_sqlite(MEMORY, key)
    migrate_thd(database)
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with _raw(database) as connection:
        connection.backup(copy)
    database.close()
    return copy


@contextlib.contextmanager
def _raw(database: SQLite) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(database.engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        yield driver
