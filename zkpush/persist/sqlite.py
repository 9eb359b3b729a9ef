"""SQLite store, a plugin: a file, or a database in memory."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event, literal_column
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool
from twisted.internet.interfaces import IReactorFromThreads
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import IMaintainedStoreFactory, OutOfReach, StoreError
from .databases import LOCKED_SECONDS, READERS
from .keys import SiteKey
from .sqlite_database import ELSEWHERE, NEXT_REVISION, SEEN, SQLite
from .sqlite_transactions import BEGIN, STATEMENTS, MarkedConnection, OpenFile
from .sqlite_url import MEMORY, sqlite_path
from .store import Store

_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # SQLite must not truncate the log itself, so that truncation by others is detected.
    "PRAGMA journal_size_limit=-1",
)
_memory_names = itertools.count()


def open_sqlite(url: str, key: bytes, *, alone: bool = False, existing: bool = False) -> SQLite:
    """Open a SQLite database: a file, or `memory:`.

    Commits are durable on return: WAL with `synchronous=FULL`. Raises `StoreError` if the file
    cannot be opened, or if `existing` is set and it is missing. Raises `ValueError` for an invalid
    URL.
    """
    path = sqlite_path(url)
    keeper = file = None
    if path is None:
        uri = f"file:zkpush-{os.getpid()}-{next(_memory_names)}?mode=memory&cache=shared"
        keeper = _connect(uri, None)
    else:
        # mode=rw: a later connection must not create a new database.
        uri = f"{path.as_uri()}?mode=rw"
        if existing and not path.exists():
            raise StoreError(f"there is no database {path}")
        file = _made_private(path)
    engine = sqlalchemy.create_engine(
        "sqlite://", creator=lambda: _connect(uri, file), poolclass=NullPool, hide_parameters=True
    )
    readers = sqlalchemy.create_engine(
        "sqlite://",
        creator=lambda: _connect(uri, file, "PRAGMA query_only=ON"),
        poolclass=QueuePool,
        pool_size=READERS,
        hide_parameters=True,
    )
    _begin_with(engine, BEGIN, file)
    _begin_with(readers, "BEGIN", None)
    return SQLite(
        where="memory" if path is None else str(path),
        is_kept=path is not None,
        site=SiteKey(key),
        alone=alone,
        engine=engine,
        readers=readers,
        concurrent_readers=keeper is None,
        errors=(SQLAlchemyError, sqlite3.Error),
        revision=literal_column(NEXT_REVISION),
        seen=SEEN,
        elsewhere=ELSEWHERE,
        path=path,
        file=file,
        pictures=None if path is None else path.with_name(f"{path.name}-pictures"),
        keeper=keeper,
    )


def _begin_with(engine: Engine, statement: str, file: OpenFile | None) -> None:
    """Begin each transaction with a statement, and only if the file is still in place."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Bypasses SQLAlchemy, which would cost three times as much as SQLite does.
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:
            if file is not None:
                file.check_before(driver)
            driver.execute(statement)


def _made_private(path: Path) -> OpenFile:
    """Create a missing file, readable only by its owner; SQLite would use the umask."""
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        return OpenFile.at(path)
    except OSError as error:
        raise StoreError(f"cannot open the database {path}: {error.strerror}") from error


def _connect(uri: str, file: OpenFile | None, *more: str) -> sqlite3.Connection:
    """Open a connection; raises `OutOfReach` if it reaches another file than the first one."""
    if file is not None:
        file.check()
    try:
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=LOCKED_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
            factory=MarkedConnection,
        )
        connection.file = file
        _use_wal(connection)
        for pragma in (*_PRAGMAS, *more):
            connection.execute(pragma)
    except sqlite3.Error as error:
        raise StoreError(f"cannot open the database {uri}: {error}") from error
    if file is not None:
        try:
            file.check()
        except OutOfReach:
            connection.close()
            raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log, with retries: SQLite does not wait for others doing the same."""
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


@implementer(IPlugin, IMaintainedStoreFactory)
class SQLiteStores:
    """Opens `sqlite:///path`, and `memory:` for trials."""

    schemes = ("sqlite", MEMORY.removesuffix(":"))

    def __init__(self, opening: Callable[[str, bytes], SQLite] | None = None) -> None:
        """`opening` opens the database of a store; the default is `open_sqlite`."""
        self._opening = opening

    def open(self, url: str, key: bytes, reactor: IReactorFromThreads) -> Store:
        """Create a store, not yet started; raises `ValueError` for an invalid URL."""
        path, opening = sqlite_path(url), self._opening or open_sqlite
        return Store(
            lambda: opening(url, key), reactor, None if path is None else lambda: _where(path)
        )

    def open_database(self, url: str, key: bytes, *, alone: bool, existing: bool) -> SQLite:
        """Open the database for `zkpush database`."""
        return open_sqlite(url, key, alone=alone, existing=existing)


def _where(path: Path) -> str | None:
    """Return the path of a missing or empty database; None if there is one."""
    try:
        is_there = path.stat().st_size > 0
    except OSError:
        is_there = False
    return None if is_there else str(path)
