"""A SQLite database that is open: a file, or memory. `sqlite` opens it."""

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
from ..model import StoragePlace
from .backup import back_up
from .databases import AUDIT_HEAD, IN_USE, ROTATING, Database, Insert, quoted
from .fileheader import owner_of
from .identity import find_identity
from .naming import is_any_named
from .openfile import MarkedConnection, OpenFile, OpenFolder
from .pictures import make_folder

MIGRATION_SECONDS = 3600
"""How long a process that starts waits for another one that migrates the database."""
_MOST_ROWS = 256
"""Rows of a statement."""
_STEP = 16
"""Statements are of a multiple of so many rows, or of fewer: two of them do for most groups, and
all that there are can be kept prepared."""
STATEMENTS = 256
"""How many are."""
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
"""Codes of errors that say nothing about a statement."""
_MOST_FOUND = 20
"""Most kinds of damage that are listed."""
BEGIN = "BEGIN IMMEDIATE"
"""A lock that is taken only by the first write of a unit could be refused in its middle."""
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

    def prepare_writer(self, driver: Any) -> None:
        """Keep in memory what undoes one statement: SQLite would make a file for each commit."""
        driver.execute("PRAGMA temp_store=MEMORY")

    def begin(self, driver: Any) -> None:
        """Take the lock of all who write, if the file is still there."""
        if self.file is not None:
            self.file.check_before(driver)
        driver.execute(BEGIN)

    def confirm(self, driver: Any) -> None:
        """Look whether the file and its log were there at the commit."""
        if self.file is not None:
            self.file.check()
            self.file.check_log(driver)

    def window(self, connection: Connection) -> tuple[int, int]:
        """The next revision: writers take turns, so that all below it are committed."""
        following = int(connection.execute(text(f"SELECT {NEXT_REVISION}")).scalar_one())
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
            sql = _insert_sql(
                insert.table, names, len(shared), insert.computed, insert.conflict, size
            )
            driver.execute(sql, shared + values[start:end])
            start, rows = end, rows - size

    def finish(self, driver: Any, inserts: Sequence[Insert]) -> None:
        """Insert the last rows, unless the transaction is gone: its words would be worse."""
        self.check(driver)
        self.insert(driver, *inserts)
        self.check(driver)

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


@functools.lru_cache(STATEMENTS)
def _insert_sql(
    table: Table,
    names: tuple[str, ...],
    shared: int,
    computed: tuple[tuple[str, str], ...],
    conflict: str,
    rows: int,
) -> str:
    """Insert so many rows, which have the values of the first columns in common."""
    first = [f"?{number}" for number in range(1, shared + 1)]
    last = [sql for _, sql in computed]
    row = f"({', '.join([*first, *('?' * (len(names) - shared)), *last])})"
    every = [*names, *(name for name, _ in computed)]
    return (
        f"INSERT INTO {table.name} ({quoted(every)}) "  # noqa: S608 - no input
        f"VALUES {', '.join([row] * rows)} ON CONFLICT {conflict}"
    )
