"""How a SQLite database is written, and how changes to its open files are detected.

SQLite keeps writing to a file that was deleted, moved or replaced; these commits are lost when the
process ends. To detect this, the path is compared with the open file by device and inode. SQLite
also does not notice that the file was emptied or overwritten in place, or its log truncated, while
its cache holds what it needs. The header of the file and the length of the log reveal that.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import attrs
from sqlalchemy import Table
from twisted.logger import Logger

from ..interfaces import OutOfReach, StoreError
from .databases import Database, Insert, quoted
from .fileheader import HEADER_BYTES, LOG_START_BYTES, Header, is_log

Mark = tuple[int, int]
"""Device and inode of a file."""
REREAD_SECONDS = 0.02
"""Pause before a suspicious header is read again, as another process may be writing it."""
_MOST_ROWS = 256
"""Most rows per statement."""
_STEP = 16
"""Statements insert a multiple of this number of rows, or fewer. Most groups need two statements,
and all distinct statements fit the cache."""
STATEMENTS = 256
"""Number of prepared statements kept."""
BEGIN = "BEGIN IMMEDIATE"
"""Takes the write lock at once, because taking it at the first write could fail midway."""
MOST_TRIES = 100
"""Most times that a running statement is interrupted."""
_log = Logger()


class MarkedConnection(sqlite3.Connection):
    """Connection that tracks its write-ahead log, and keeps the log open until it is closed."""

    file: OpenFile | None = None
    """The database file; None for a database in memory."""
    log_mark: Mark | None = None
    """Device and inode of the log, known from the first commit on."""
    log_handle: int | None = None
    """Descriptor of the log, for reading its first bytes."""
    log_start: bytes | None = None
    """First bytes of the log when it was last valid."""
    log_bytes = 0
    """Length of the log after the last commit. SQLite overwrites a log from its start, and never
    truncates it while it is in use."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ending = threading.Lock()
        self._is_ended = False
        self._is_closed = False

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
        """Return a cursor; raises `sqlite3.OperationalError` once the transaction was aborted."""
        if self._is_ended:
            raise sqlite3.OperationalError("the transaction was ended")
        return super().cursor(factory)

    def close(self) -> None:
        """Close the connection without damaging a file that is no longer the database."""
        with self._ending:
            self._is_closed = True
            if self.file is None:
                super().close()
                return
            try:
                with self.file.spared(self):
                    super().close()
            finally:
                if self.log_handle is not None:
                    os.close(self.log_handle)
                    self.log_handle = None

    def abort(self) -> None:
        """End the transaction from another thread than the one that uses the connection.

        Interrupts the running statement and refuses further ones; one on an older cursor can read.
        Does not close the connection: closing it while its thread runs a statement would crash the
        process. SQLite calls nothing of Python here: the thread that holds the interpreter's lock
        may be waiting for the connection's, and both would wait for ever.
        """
        with self._ending:
            if self._is_closed:
                return
            self._is_ended = True
            cursor = super().cursor()
            for _ in range(MOST_TRIES):
                self.interrupt()
                # Ours are interrupted as well, as long as the other thread's has not ended.
                with contextlib.suppress(sqlite3.Error):
                    cursor.execute("PRAGMA query_only=ON")
                    break
            # The interrupted statement may already have ended the transaction.
            with contextlib.suppress(sqlite3.Error):
                cursor.execute("ROLLBACK")


@attrs.define
class OpenFile:
    """The database file and its write-ahead log, as they were when opened.

    A file that is moved away and comes back is accepted, and service resumes. If another file,
    other content or the loss of the log was found, service resumes only after a restart.
    """

    path: Path
    _mark: Mark
    _handle: int | None
    """Descriptor of the file, for reading its header. It is closed last, because closing it
    releases the process's locks on the file."""
    _content: bytes | None = None
    """Bytes of the last header."""
    _header: Header | None = None
    """The last header; None while the file is new and empty."""
    _owner: int | None = None
    _loss: str | None = None
    _is_content_lost: bool = False
    _is_log_cut: bool = False
    _closing: threading.Lock = attrs.field(factory=threading.Lock)

    @classmethod
    def at(cls, path: Path) -> OpenFile:
        """Open the file that SQLite is about to open; raises `OSError` if there is none."""
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(handle)
        return cls(path, (status.st_dev, status.st_ino), handle)

    def use_owner(self, owner: int) -> None:
        """Accept another `PRAGMA application_id` than the file has so far."""
        self._owner = owner

    def check(self) -> None:
        """Raise `OutOfReach` unless the path still names the open database with its own content.

        Costs one stat and one read of the header.
        """
        if self._loss is not None:
            raise OutOfReach(self._loss)
        try:
            mark = mark_of(str(self.path))
        except OSError as error:
            raise OutOfReach(
                f"the database file {self.path} was removed, moved away or unmounted under the "
                f"daemon ({error.strerror}); nothing is stored until the same file is back"
            ) from error
        if mark != self._mark:
            raise OutOfReach(
                f"another file is at {self.path}, in the place of the database; nothing is stored "
                "until the right file is back; to use this one, restart the daemon"
            )
        self._check_content()

    def check_before(self, connection: MarkedConnection) -> None:
        """Raise `OutOfReach` if a transaction of the connection could not be made durable."""
        self.check()
        if connection.log_mark is not None:
            self.check_log(connection)

    def check_log(self, connection: MarkedConnection) -> None:
        """Raise `OutOfReach` unless the connection still has its original write-ahead log.

        Call it only after the connection has written. The loss of a log is permanent: this method
        and `check` keep raising.
        """
        log = f"{self.path}-wal"
        try:
            status = os.stat(log)
            handle = connection.log_handle
            if handle is None:
                handle = connection.log_handle = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
                status = os.fstat(handle)
            mark, size = (status.st_dev, status.st_ino), status.st_size
            start = os.pread(handle, LOG_START_BYTES, 0)
        except OSError:
            mark = None
        if connection.log_mark is None:
            connection.log_mark = mark
        if mark is None or mark != connection.log_mark:
            self._lose(
                f"the write-ahead log {log} was removed or replaced under the daemon; stop the "
                "daemon with SIGTERM, which saves the log into the database, and start it again"
            )
        is_sound = start == connection.log_start or is_log(start)
        if size < connection.log_bytes or (size > 0 and not is_sound):
            self._is_log_cut = True
            self._lose(
                f"the write-ahead log {log} was truncated under the daemon; nothing is stored, "
                "and records of the last minutes may be lost; restart the daemon, check the "
                "database with `zkpush database check`, and let the terminals send their records "
                "again with `zkpush devices resend`"
            )
        connection.log_bytes, connection.log_start = size, start if size else None

    @contextlib.contextmanager
    def spared(self, connection: MarkedConnection) -> Iterator[None]:
        """Context in which to close a connection safely.

        The last connection to close writes its log into the database file. This would destroy a
        file with other content, and an incomplete log would destroy the database. In both
        cases the file is renamed during the close, as SQLite does not write to a moved file.
        """
        with contextlib.suppress(OutOfReach):
            self.check_before(connection)
        if not (self._is_content_lost or self._is_log_cut):
            yield
            return
        away = self.path.with_name(f"{self.path.name}.closing")
        with self._closing:
            try:
                self.path.rename(away)
            except OSError:  # gone, or moved by another process that is closing its own connection
                yield
                return
            try:
                yield
            finally:
                away.rename(self.path)

    def close(self) -> None:
        """Close the file, after all connections.

        The log of a database whose content is lost is renamed, because the next start would
        otherwise apply it to the present file.
        """
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        log = Path(f"{self.path}-wal")
        if self._is_content_lost and log.exists():
            names = (log.with_name(f"{log.name}.{count}") for count in itertools.count(1))
            aside = next(name for name in names if not name.exists())
            log.rename(aside)
            _log.error("The log of the overwritten database is kept as {file}", file=str(aside))

    def _check_content(self) -> None:
        for _ in range(2):
            content = self._read()
            if content == self._content:
                return
            header = Header.parse(content)
            if self._follows(header):
                self._content, self._header = content, header
                return
            time.sleep(REREAD_SECONDS)
        self._is_content_lost = True
        what = "emptied" if os.stat(self.path).st_size < HEADER_BYTES else "overwritten"
        self._lose(
            f"the database file {self.path} was {what} under the daemon; nothing is stored; stop "
            "the daemon, which sets the write-ahead log aside, restore the file from a backup, or "
            "keep it as it is now, and start the daemon again"
        )

    def _follows(self, header: Header | None) -> bool:
        if self._header is None:
            return True  # SQLite itself rejects a file that is not a database
        return header is not None and header.may_follow(self._header, self._owner)

    def _read(self) -> bytes:
        if self._handle is None:
            raise OutOfReach("the database is closed")
        try:
            return os.pread(self._handle, HEADER_BYTES, 0)
        except OSError as error:
            raise OutOfReach(f"cannot read the database file {self.path}: {error}") from error

    def _lose(self, words: str) -> NoReturn:
        self._loss = words
        raise OutOfReach(words)


@attrs.frozen(kw_only=True)
class SQLiteTransactions(Database):
    """How a SQLite database is written: begin, insert and commit, while its files are in place."""

    file: OpenFile | None = None
    """The open file; None for a database in memory."""

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

    def check(self, driver: Any) -> None:
        """Raise if the transaction is gone: SQLite itself ends it, for example on a full disk."""
        if not driver.in_transaction:
            raise StoreError("the database had rolled back already")

    def abort(self, driver: MarkedConnection) -> None:
        """Interrupt the running statement, roll back, and forbid further statements."""
        driver.abort()


def mark_of(path: str | Path) -> Mark:
    """Identify the file or folder at a path; raises `OSError` if there is none."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


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
