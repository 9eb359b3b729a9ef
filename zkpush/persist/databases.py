"""Everything in which SQLite and PostgreSQL differ."""

from __future__ import annotations

import itertools
import os
import sqlite3
from pathlib import Path

import attrs
import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.pool import NullPool

from ..interfaces import StoreError

SQLITE_BUSY_SECONDS = 30
WRITES = "zkpush_writes"
"""Execution option of connections that write: they take the lock when a unit begins."""
_memory_names = itertools.count()


@attrs.frozen
class Database:
    """An opened database."""

    engine: Engine
    placeholder: str
    """What stands for a value in the driver's own SQL."""
    concurrent_readers: bool = True
    """False where readers would meet the writer's locks, so that they have to take turns."""
    keeper: sqlite3.Connection | None = None
    """What keeps a database in memory alive."""

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()
        if self.keeper is not None:
            self.keeper.close()


def parse_url(url: str) -> URL:
    """Read a database URL; `ValueError` says which there are."""
    try:
        return make_url(url)
    except sqlalchemy.exc.ArgumentError:
        raise ValueError(
            "this is not a database URL; "
            "use sqlite:////path/to/file or postgresql://user:password@host/name"
        ) from None


def open_sqlite(url: str) -> Database:
    """Open a SQLite database, a file or in memory (`sqlite://`).

    Commits are on disk when they return: WAL with `synchronous=FULL`. `StoreError` if the file
    cannot be opened or is not a database.
    """
    path = parse_url(url).database
    keeper = None
    if path in (None, "", ":memory:"):
        name = f"file:zkpush-{os.getpid()}-{next(_memory_names)}?mode=memory&cache=shared"
        keeper = _connect_sqlite(name)
    else:
        name = Path(str(path)).absolute().as_uri()
    engine = sqlalchemy.create_engine(
        "sqlite://", creator=lambda: _connect_sqlite(name), poolclass=NullPool
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A lock that is taken only by the first write of a unit could be refused in its middle.
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return Database(engine, placeholder="?", concurrent_readers=keeper is None, keeper=keeper)


def _connect_sqlite(name: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            name,
            uri=True,
            timeout=SQLITE_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error as error:
        raise StoreError(f"cannot open the database {name}: {error}") from error
    return connection
