"""The store on SQLite: a file, or memory; a plugin."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import glob
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

from ..interfaces import IMaintainedStoreFactory, OutOfReach, StoreError
from ..model import StoragePlace
from .backup import back_up
from .databases import (
    AUDIT_HEAD,
    IN_USE,
    LOCKED_SECONDS,
    READERS,
    ROTATING,
    Database,
    Insert,
    quoted,
)
from .fileheader import owner_of
from .identity import find_identity
from .keys import SiteKey
from .naming import is_any_named
from .openfile import MarkedConnection, OpenFile, OpenFolder
from .pictures import make_folder
from .sqlite_url import MEMORY, sqlite_path
from .store import Store

MIGRATION_SECONDS = 3600
"""How long a process that starts waits for another one that migrates the database."""
_MOST_ROWS = 256
"""Rows of a statement."""
_STEP = 16
"""Statements are of a multiple of so many rows, or of fewer: two of them do for most groups, and
all that there are can be kept prepared."""
_STATEMENTS = 256
"""How many are."""
_NEXT_REVISION = (
    "(SELECT coalesce(max(latest), 0) + 1 FROM (SELECT max(revision) AS latest FROM devices "
    "UNION ALL SELECT max(revision) FROM removed_devices))"
)
_NOW_SEEN = """(
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS at,
        json_extract(value, '$[2]') AS address
    FROM json_each(?)
) AS seen"""
_ELSEWHERE = f"""
SELECT devices.id, devices.last_seen_at, devices.address
FROM {_NOW_SEEN} JOIN devices ON devices.id = seen.id
WHERE devices.address IS NOT seen.address AND devices.last_seen_at IS NOT NULL
"""  # noqa: S608 - a constant
_SEEN = f"""
UPDATE devices SET last_seen_at = seen.at, address = seen.address
FROM {_NOW_SEEN}
WHERE devices.id = seen.id AND NOT coalesce(last_seen_at, 0) BETWEEN seen.at AND seen.at + 300000
"""  # noqa: S608 - a constant
_OUTSIDE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
    }
)
"""Codes of errors that say nothing about a statement."""
_MOST_FOUND = 20
"""Most kinds of damage that are listed."""
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # SQLite never cuts the log itself, so that one which was cut is noticed.
    "PRAGMA journal_size_limit=-1",
)
_BEGIN = "BEGIN IMMEDIATE"
"""A lock that is taken only by the first write of a unit could be refused in its middle."""
_memory_names = itertools.count()
_log = Logger()


@attrs.frozen(kw_only=True)
class SQLite(Database):
    """Writers take turns, processes too; readers never wait for them."""

    path: Path | None = None
    file: OpenFile | None = None
    """The file that is open; None for a database in memory."""
    keeper: sqlite3.Connection | None = None
    """What keeps a database in memory alive."""
    folder: list[OpenFolder] = attrs.field(factory=list)
    """The folder of pictures, once it is prepared."""

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold a lock on a file beside the database: on that itself, SQLite has its own."""
        if self.path is None:
            yield
            return
        path = self.path.with_name(f"{self.path.name}.lock")
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror}") from error
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if self.alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise StoreError(IN_USE if self.alone else ROTATING) from error
        try:
            yield
        finally:
            os.close(handle)

    def prepare_thd(self) -> None:
        """Mark the file as this database's; make the folder of pictures, unless one is missing
        that there must have been."""
        if self.pictures is None:
            return
        self._mark_file_thd()
        try:
            if not self.pictures.exists():
                with self.engine.begin() as connection:
                    if is_any_named(connection):
                        raise StoreError(
                            f"the folder of pictures {self.pictures} is missing, and the database "
                            "names pictures: mount it or restore it; to go on without the old "
                            "pictures, make an empty folder there"
                        )
                make_folder(self.pictures)
            self.folder[:] = [OpenFolder.at(self.pictures)]
        except OSError as error:
            raise StoreError(
                f"cannot use the folder of pictures {self.pictures}: {error.strerror}"
            ) from error

    def _mark_file_thd(self) -> None:
        """Give the header of the file the number of the database, and count this start in it."""
        if self.file is None:
            return
        with self.engine.begin() as connection:
            identity = find_identity(connection)
            if identity is None:
                return
            owner = owner_of(identity)
            self.file.use_owner(owner)
            starts = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            connection.exec_driver_sql(f"PRAGMA user_version={starts + 1}")
            connection.exec_driver_sql(f"PRAGMA application_id={owner}")

    def check_pictures(self) -> None:
        """Look whether the folder is the one that was prepared."""
        for folder in self.folder:
            folder.check()

    def places(self) -> Sequence[StoragePlace]:
        """The file, what SQLite keeps beside it, and the folder of pictures."""
        if self.path is None:
            return []
        files = [f"{self.path}{what}" for what in ("", "-wal", "-shm")]
        return [
            *(StoragePlace("database", file, is_file=True) for file in files),
            *(StoragePlace("pictures", str(one.path), mark=one.mark) for one in self.folder),
        ]

    def close(self) -> None:
        """Let go of all connections."""
        super().close()
        if self.keeper is not None:
            self.keeper.close()
        if self.file is not None:
            self.file.close()

    def begin(self, driver: Any) -> None:
        """Take the lock of all who write, if the file is still there."""
        if self.file is not None:
            self.file.check_before(driver)
        driver.execute(_BEGIN)

    def confirm(self, driver: Any) -> None:
        """Look whether the file and its log were there at the commit."""
        if self.file is not None:
            self.file.check()
            self.file.check_log(driver)

    def window(self, connection: Connection) -> tuple[int, int]:
        """The next revision: writers take turns, so that all below it are committed."""
        following = int(connection.execute(text(f"SELECT {_NEXT_REVISION}")).scalar_one())
        return following, following

    def insert(self, driver: Any, *inserts: Insert) -> None:
        """Insert with as few statements as it takes, of many rows each.

        `executemany` lets go of the interpreter's lock and asks for it again at every row, which
        beside a busy reactor costs several times what the row itself does. To hand over a value
        costs a third of it: what is the same in all of many rows is handed over once.
        """
        for insert in inserts:
            self._insert(driver, insert)

    def _insert(self, driver: Any, insert: Insert) -> None:
        names, columns = insert.names, insert.columns
        start, rows = 0, len(columns[0])
        same, varying = [], list(range(len(names)))
        if rows >= _STEP:
            same = [place for place in varying if _is_same(columns[place])]
            if len(same) == len(varying):  # one is listed anyway: it counts the rows
                same.pop()
            varying = [place for place in varying if place not in same]
            names = tuple(names[place] for place in (*same, *varying))
        shared = [columns[place][0] for place in same]
        values = list(
            itertools.chain.from_iterable(zip(*(columns[place] for place in varying), strict=True))
        )
        while rows:
            size = min(rows - rows % _STEP, _MOST_ROWS) or rows
            end = start + size * len(varying)
            sql = _insert_sql(insert.table, names, len(shared), insert.conflict, size)
            driver.execute(sql, shared + values[start:end])
            start, rows = end, rows - size

    def audit_head(self, driver: Any) -> Sequence[Any]:
        """Read the head of the audit log: every transaction that writes holds one lock."""
        head: Sequence[Any] = driver.execute(AUDIT_HEAD).fetchone()
        return head

    def integrity(self, connection: Connection) -> tuple[list[str], tuple[str, ...]]:
        """Look at every page and index, then at references between tables."""
        found = connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_FOUND})").scalars().all()
        damage = [str(line) for line in found if line != "ok"]
        loose = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        damage += [
            f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is missing"
            for row in loose[:_MOST_FOUND]
        ]
        return damage, ()

    def check(self, driver: Any) -> None:
        """Raise if the transaction is gone: SQLite ends it by itself where the disk is full."""
        if not driver.in_transaction:
            raise StoreError("the database had rolled back already")

    def abort(self, driver: MarkedConnection) -> None:
        """Interrupt the statement that runs, roll back, and allow no further statement."""
        driver.abort()

    def _is_outside(self, error: BaseException) -> bool:
        """Whether the disk, the file or a lock is at fault."""
        code = getattr(error, "sqlite_errorcode", None)
        # The lowest byte of an extended code is the code itself.
        return code is not None and code & 0xFF in _OUTSIDE

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

    def vacuum(self) -> None:
        """Write the file anew, take over the write-ahead log into it, and cut that to nothing."""
        self._execute("VACUUM")
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def backups(self) -> list[Path]:
        """The copies that upgrades have left beside the file."""
        if self.path is None:
            return []
        return sorted(self.path.parent.glob(f"{glob.escape(self.path.name)}.before-*"))

    def _execute(self, statement: str) -> None:
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(statement).fetchall()


def _is_same(column: Sequence[object]) -> bool:
    first = column[0]
    return first == column[-1] and column.count(first) == len(column)


@functools.lru_cache(_STATEMENTS)
def _insert_sql(table: Table, names: tuple[str, ...], shared: int, conflict: str, rows: int) -> str:
    """Insert so many rows, which have the values of the first columns in common."""
    first = [f"?{number}" for number in range(1, shared + 1)]
    row = f"({', '.join([*first, *('?' * (len(names) - shared))])})"
    return (
        f"INSERT INTO {table.name} ({quoted(names)}) "  # noqa: S608 - no input
        f"VALUES {', '.join([row] * rows)} ON CONFLICT {conflict}"
    )


def open_sqlite(url: str, key: bytes, *, alone: bool = False, existing: bool = False) -> SQLite:
    """Open a SQLite database, a file or in memory (`memory:`).

    Commits are on disk when they return: WAL with `synchronous=FULL`. `StoreError` if the file
    cannot be opened, or if it has to be an existing one and is not there; `ValueError` if the URL
    names none.
    """
    path = sqlite_path(url)
    keeper = file = None
    if path is None:
        uri = f"file:zkpush-{os.getpid()}-{next(_memory_names)}?mode=memory&cache=shared"
        keeper = _connect(uri, None)
    else:
        # Never made by SQLite itself: a connection made later must not begin a new database.
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
    _begin_with(engine, _BEGIN, file)
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
        revision=literal_column(_NEXT_REVISION),
        seen=_SEEN,
        elsewhere=_ELSEWHERE,
        path=path,
        file=file,
        pictures=None if path is None else path.with_name(f"{path.name}-pictures"),
        keeper=keeper,
    )


def _begin_with(engine: Engine, statement: str, file: OpenFile | None) -> None:
    """Begin each transaction with a statement, and only if the file is still there."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Below SQLAlchemy, which would cost three times as much as SQLite does.
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:
            if file is not None:
                file.check_before(driver)
            driver.execute(statement)


def _made_private(path: Path) -> OpenFile:
    """Make the file for its owner only, if it is not there; SQLite would make it for everyone."""
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        return OpenFile.at(path)
    except OSError as error:
        raise StoreError(f"cannot open the database {path}: {error.strerror}") from error


def _connect(uri: str, file: OpenFile | None, *more: str) -> sqlite3.Connection:
    """Open a connection; `OutOfReach` if that is one to another file than the first."""
    if file is not None:
        file.check()
    try:
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=LOCKED_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
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


@implementer(IPlugin, IMaintainedStoreFactory)
class SQLiteStores:
    """Opens `sqlite:///path`, and `memory:` for trials."""

    schemes = ("sqlite", MEMORY.removesuffix(":"))

    def open(self, url: str, key: bytes, reactor: IReactorFromThreads) -> Store:
        """Make a store that is not started yet; `ValueError` if the URL is not right."""
        path = sqlite_path(url)
        return Store(
            lambda: open_sqlite(url, key), reactor, None if path is None else lambda: _where(path)
        )

    def open_database(self, url: str, key: bytes, *, alone: bool, existing: bool) -> SQLite:
        """Open the database for `zkpush database`."""
        return open_sqlite(url, key, alone=alone, existing=existing)


def _where(path: Path) -> str | None:
    """The path of a database that is missing or empty; None if there is one."""
    try:
        is_there = path.stat().st_size > 0
    except OSError:
        is_there = False
    return None if is_there else str(path)
