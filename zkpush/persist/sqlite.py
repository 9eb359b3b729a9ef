"""The store on SQLite: a file, or memory; a plugin."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy
from sqlalchemy import Connection, Engine, Table, event, literal_column, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import IStoreFactory, StoreError
from .backup import back_up
from .databases import LOCKED_SECONDS, READERS, Database, parse_url, quoted
from .store import Store

MIGRATION_SECONDS = 3600
"""How long a process that starts waits for another one that migrates the database."""
_ROWS_A_STATEMENT = (256, 128, 64, 32, 16, 8, 4, 2, 1)
"""The statements that are kept prepared; any number of rows is a few of them."""
_NEXT_REVISION = (
    "(SELECT coalesce(max(latest), 0) + 1 FROM (SELECT max(revision) AS latest FROM devices "
    "UNION ALL SELECT max(revision) FROM removed_devices))"
)
_SEEN = """
UPDATE devices SET last_seen_at = seen.at, address = seen.address
FROM (
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS at,
        json_extract(value, '$[2]') AS address
    FROM json_each(?)
) AS seen
WHERE devices.id = seen.id AND coalesce(last_seen_at, 0) < seen.at
"""
_memory_names = itertools.count()
_log = Logger()


@attrs.frozen(kw_only=True)
class SQLite(Database):
    """Writers take turns, processes too; readers never wait for them."""

    path: Path | None = None
    keeper: sqlite3.Connection | None = None
    """What keeps a database in memory alive."""

    def close(self) -> None:
        """Let go of all connections."""
        super().close()
        if self.keeper is not None:
            self.keeper.close()

    def window(self, connection: Connection) -> tuple[int, int]:
        """The next revision: writers take turns, so that all below it are committed."""
        following = int(connection.execute(text(f"SELECT {_NEXT_REVISION}")).scalar_one())
        return following, following

    def insert(
        self,
        driver: Any,
        table: Table,
        names: tuple[str, ...],
        columns: Sequence[Sequence[object]],
        conflict: str = "DO NOTHING",
    ) -> None:
        """Insert with as few statements as it takes, of many rows each.

        `executemany` lets go of the interpreter's lock and asks for it again at every row, which
        beside a busy reactor costs several times what the row itself does.
        """
        values = list(itertools.chain.from_iterable(zip(*columns, strict=True)))
        start, rows = 0, len(columns[0])
        for size in _ROWS_A_STATEMENT:
            length = size * len(names)
            while rows >= size:
                part = values[start : start + length]
                driver.execute(_insert_sql(table, names, conflict, size), part)
                start, rows = start + length, rows - size

    def check(self, driver: Any) -> None:
        """Raise if the transaction is gone: SQLite ends it by itself where the disk is full."""
        if not driver.in_transaction:
            raise StoreError("the database had rolled back already")

    @contextlib.contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A transaction like all that write, but for its patience."""
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA busy_timeout={MIGRATION_SECONDS * 1000}")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def backed_up(self, revision: str) -> Iterator[None]:
        """Copy a file beside itself."""
        if self.path is None:
            yield
            return
        copy = back_up(self.path, revision)
        _log.info("The database is backed up to {copy} before its upgrade", copy=str(copy))
        try:
            yield
        except BaseException:
            copy.unlink()
            raise


@functools.lru_cache(256)
def _insert_sql(table: Table, names: tuple[str, ...], conflict: str, rows: int) -> str:
    row = f"({', '.join('?' * len(names))})"
    return (
        f"INSERT INTO {table.name} ({quoted(names)}) "  # noqa: S608 - no input
        f"VALUES {', '.join([row] * rows)} ON CONFLICT {conflict}"
    )


def open_sqlite(url: str) -> SQLite:
    """Open a SQLite database, a file or in memory (`sqlite://`).

    Commits are on disk when they return: WAL with `synchronous=FULL`. `StoreError` if the file
    cannot be opened.
    """
    name = parse_url(url).database
    path = keeper = None
    if name in (None, "", ":memory:"):
        uri = f"file:zkpush-{os.getpid()}-{next(_memory_names)}?mode=memory&cache=shared"
        keeper = _connect(uri)
    else:
        path = Path(str(name)).absolute()
        uri = path.as_uri()
        _make_private(path)
    engine = sqlalchemy.create_engine(
        "sqlite://", creator=lambda: _connect(uri), poolclass=NullPool
    )
    readers = sqlalchemy.create_engine(
        "sqlite://",
        creator=lambda: _connect(uri, "PRAGMA query_only=ON"),
        poolclass=QueuePool,
        pool_size=READERS,
    )
    # A lock that is taken only by the first write of a unit could be refused in its middle.
    _begin_with(engine, "BEGIN IMMEDIATE")
    _begin_with(readers, "BEGIN")
    return SQLite(
        engine=engine,
        readers=readers,
        concurrent_readers=keeper is None,
        errors=(SQLAlchemyError, sqlite3.Error),
        revision=literal_column(_NEXT_REVISION),
        seen=_SEEN,
        path=path,
        pictures=None if path is None else path.with_name(f"{path.name}-pictures"),
        keeper=keeper,
    )


def _begin_with(engine: Engine, statement: str) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Below SQLAlchemy, which would cost three times as much as SQLite does.
        driver: Any = connection.connection.driver_connection
        driver.execute(statement)


def _make_private(path: Path) -> None:
    """Make the file for its owner only; SQLite would make it for everyone.

    One that is there is not opened: closing it would end all locks that this process has on it.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"cannot open the database {path}: {error.strerror}") from error


def _connect(uri: str, *more: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=LOCKED_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        _use_wal(connection)
        for pragma in ("PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON", *more):
            connection.execute(pragma)
    except sqlite3.Error as error:
        raise StoreError(f"cannot open the database {uri}: {error}") from error
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log. SQLite itself does not wait for others that do the same."""
    deadline = time.monotonic() + LOCKED_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@implementer(IPlugin, IStoreFactory)
class SQLiteStores:
    """Opens `sqlite:///path` and, in memory, `sqlite://`."""

    schemes = ("sqlite",)

    def open(self, url: str, reactor: IReactorFromThreads) -> Store:
        """Make a store that is not started yet; `ValueError` if the URL is not right."""
        parse_url(url)
        return Store(lambda: open_sqlite(url), reactor)
