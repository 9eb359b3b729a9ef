"""An open SQLite database: a file or memory; `sqlite` opens it."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import glob
import itertools
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
from sqlalchemy import Connection, Table, text
from twisted.logger import Logger

from ..interfaces import StoreError
from ..values.storage import StoragePlace
from .backup import back_up
from .databases import AUDIT_HEAD, IN_USE, ROTATING, Database, Insert, quoted
from .fileheader import owner_of
from .identity import find_identity
from .naming import is_any_named
from .openfile import MarkedConnection, OpenFile, OpenFolder
from .pictures import make_folder

MIGRATION_SECONDS = 3600
"""How long a starting process waits for another one that migrates the database."""
_MOST_ROWS = 256
"""Most rows per statement."""
_STEP = 16
"""Statements insert a multiple of this number of rows, or fewer. Most groups need two statements,
and all distinct statements fit the cache."""
STATEMENTS = 256
"""Number of prepared statements kept."""
NEXT_REVISION = (
    "(SELECT coalesce(max(latest), 0) + 1 FROM (SELECT max(revision) AS latest FROM devices "
    "UNION ALL SELECT max(revision) FROM removed_devices))"
)
_NOW_SEEN = """(
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS at,
        json_extract(value, '$[2]') AS address
    FROM json_each(?)
) AS seen"""
ELSEWHERE = f"""
SELECT devices.id, devices.last_seen_at, devices.address
FROM {_NOW_SEEN} JOIN devices ON devices.id = seen.id
WHERE devices.address IS NOT seen.address AND devices.last_seen_at IS NOT NULL
"""  # noqa: S608 - a constant
SEEN = f"""
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
"""Error codes that do not concern the statement."""
_MOST_FOUND = 20
"""Most kinds of damage listed."""
BEGIN = "BEGIN IMMEDIATE"
"""Takes the write lock at once, because taking it at the first write could fail midway."""
_log = Logger()


@attrs.frozen(kw_only=True)
class SQLite(Database):
    """A SQLite database; writers take turns, also between processes, and do not block readers."""

    path: Path | None = None
    file: OpenFile | None = None
    """The open file; None for a database in memory."""
    keeper: sqlite3.Connection | None = None
    """Connection that keeps a database in memory alive."""
    folder: list[OpenFolder] = attrs.field(factory=list)
    """The folder of pictures, once prepared."""
    copies: list[Path] = attrs.field(factory=list)
    """Backups made since the database was opened."""

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold a lock on a separate file beside the database, as SQLite locks the database file."""
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
        """Mark the file as this database's, and create the folder of pictures.

        Raises `StoreError` if the folder is missing although the database names pictures.
        """
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
        """Write the number of the database into the file header, and count this start."""
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
        """Check that the folder is the one that was prepared."""
        for folder in self.folder:
            folder.check()

    def places(self) -> Sequence[StoragePlace]:
        """List the file, the files that SQLite keeps beside it, and the folder of pictures."""
        if self.path is None:
            return []
        files = [f"{self.path}{what}" for what in ("", "-wal", "-shm")]
        return [
            *(StoragePlace("database", file, is_file=True) for file in files),
            *(StoragePlace("pictures", str(one.path), mark=one.mark) for one in self.folder),
        ]

    def close(self) -> None:
        """Close all connections."""
        super().close()
        if self.keeper is not None:
            self.keeper.close()
        if self.file is not None:
            self.file.close()

    def prepare_writer(self, driver: Any) -> None:
        """Keep statement journals in memory; SQLite would create a file for each commit."""
        driver.execute("PRAGMA temp_store=MEMORY")

    def begin(self, driver: Any) -> None:
        """Take the write lock, if the file is still in place."""
        if self.file is not None:
            self.file.check_before(driver)
        driver.execute(BEGIN)

    def confirm(self, driver: Any) -> None:
        """Check that the file and its log were in place at the commit."""
        if self.file is not None:
            self.file.check()
            self.file.check_log(driver)

    def window(self, connection: Connection) -> tuple[int, int]:
        """Return the next revision twice: writers take turns, so all lower ones are committed."""
        following = int(connection.execute(text(f"SELECT {NEXT_REVISION}")).scalar_one())
        return following, following

    def insert(self, driver: Any, *inserts: Insert) -> None:
        """Insert with few statements of many rows each.

        `executemany` releases and reacquires the interpreter lock for every row, which beside a
        busy reactor costs several times as much as the row. Binding a value costs a third of
        inserting it, so values common to many rows are bound once.
        """
        for insert in inserts:
            self._insert(driver, insert)

    def _insert(self, driver: Any, insert: Insert) -> None:
        names, columns = insert.names, insert.columns
        start, rows = 0, len(columns[0])
        same, varying = [], list(range(len(names)))
        if rows >= _STEP:
            same = [place for place in varying if _is_same(columns[place])]
            if len(same) == len(varying):  # one varying column determines the number of rows
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
            sql = _insert_sql(
                insert.table, names, len(shared), insert.computed, insert.conflict, size
            )
            driver.execute(sql, shared + values[start:end])
            start, rows = end, rows - size

    def finish(self, driver: Any, inserts: Sequence[Insert]) -> None:
        """Insert the last rows; checks first, since a lost transaction gives unclear errors."""
        self.check(driver)
        self.insert(driver, *inserts)
        self.check(driver)

    def audit_head(self, driver: Any) -> Sequence[Any]:
        """Read the head of the audit log; the transaction already holds the write lock."""
        head: Sequence[Any] = driver.execute(AUDIT_HEAD).fetchone()
        return head

    def integrity(self, connection: Connection) -> tuple[list[str], tuple[str, ...]]:
        """Check every page and index, then the references between tables."""
        found = connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_FOUND})").scalars().all()
        damage = [str(line) for line in found if line != "ok"]
        loose = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        damage += [
            f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is missing"
            for row in loose[:_MOST_FOUND]
        ]
        return damage, ()

    def check(self, driver: Any) -> None:
        """Raise if the transaction is gone: SQLite itself ends it, for example on a full disk."""
        if not driver.in_transaction:
            raise StoreError("the database had rolled back already")

    def abort(self, driver: MarkedConnection) -> None:
        """Interrupt the running statement, roll back, and forbid further statements."""
        driver.abort()

    def _is_outside(self, error: BaseException) -> bool:
        """Whether the disk, the file or a lock is at fault."""
        code = getattr(error, "sqlite_errorcode", None)
        # The low byte of an extended code is the primary code.
        return code is not None and code & 0xFF in _OUTSIDE

    @contextlib.contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Write transaction with a longer lock timeout."""
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA busy_timeout={MIGRATION_SECONDS * 1000}")
            with connection.begin():
                yield connection

    @property
    def needs_backup(self) -> bool:
        """Whether an upgrade must be preceded by a backup that was not made since the opening."""
        return self.path is not None and not self.copies

    @contextlib.contextmanager
    def backed_up(self, revision: str) -> Iterator[None]:
        """Back up the file beside itself, unless that is done."""
        if self.path is None or self.copies:
            yield
            return
        copy = back_up(self.path, revision)
        self.copies.append(copy)
        _log.info("The database is backed up to {copy} before its upgrade", copy=str(copy))
        try:
            yield
        except BaseException:
            self.copies.remove(copy)
            copy.unlink()
            raise

    def vacuum(self) -> None:
        """Rewrite the file, move the write-ahead log into it, and truncate the log."""
        self._execute("VACUUM")
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def backups(self) -> list[Path]:
        """List the copies that upgrades left beside the file."""
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


@functools.lru_cache(STATEMENTS)
def _insert_sql(
    table: Table,
    names: tuple[str, ...],
    shared: int,
    computed: tuple[tuple[str, str], ...],
    conflict: str,
    rows: int,
) -> str:
    """Statement that inserts this many rows; the first `shared` columns have common values."""
    first = [f"?{number}" for number in range(1, shared + 1)]
    last = [sql for _, sql in computed]
    row = f"({', '.join([*first, *('?' * (len(names) - shared)), *last])})"
    every = [*names, *(name for name, _ in computed)]
    return (
        f"INSERT INTO {table.name} ({quoted(every)}) "  # noqa: S608 - no input
        f"VALUES {', '.join([row] * rows)} ON CONFLICT {conflict}"
    )
