"""Interface to the database, implemented by `postgresql`, and by `sqlite_database` with
`sqlite_transactions`."""

from __future__ import annotations

import abc
import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy
from sqlalchemy import (
    URL,
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, StatementError

from ..interfaces import NotUnsealed, StoreError
from ..values.storage import StoragePlace
from .keys import SiteKey

READERS = 4
"""Number of reader threads, each with its own connection."""
LOCKED_SECONDS = 30
"""Longest wait of a unit of work for a lock of another process."""

NO_URL = (
    "this is not a database URL; use sqlite:////path/to/file or "
    "postgresql://user:password@host/name, with special characters of the password percent-encoded"
)
IN_USE = (
    "a daemon uses the database; stop all that do (such as by `systemctl stop zkpush`), on every "
    "machine, and try again"
)
ROTATING = (
    "the keys of the database are being rotated; wait for `zkpush database rotate-key` to end"
)


AUDIT_HEAD = """
SELECT newest.id, last_id, last_mac, start_id, start_mac, seal
FROM (SELECT max(id) AS id FROM audit) AS newest
LEFT JOIN audit_head ON audit_head.name = 'audit'
"""


@attrs.frozen
class Insert:
    """Rows to insert into one table."""

    table: Table
    names: tuple[str, ...]
    columns: Sequence[Sequence[object]]
    """Values of all rows, one sequence for each name."""
    conflict: str = "DO NOTHING"
    """SQL of the conflict clause."""
    computed: tuple[tuple[str, str], ...] = ()
    """Further columns, and the SQL of their values."""
    idempotent: bool = False
    """Whether inserting the same rows twice has the same result as inserting them once."""


@attrs.frozen(kw_only=True)
class Database(abc.ABC):
    """An open database; `driver` is a connection of the driver below SQLAlchemy."""

    where: str
    """Location, for messages; contains no secrets."""
    site: SiteKey
    """Site key that wraps the data keys."""
    is_kept: bool = True
    """Whether the database outlives the process."""
    alone: bool = False
    """If true, no other process may use the database; if false, none may use it exclusively."""
    engine: Engine
    """Connections for writing; the locks are taken when a unit of work begins."""
    readers: Engine
    """Read-only connections; each transaction sees one snapshot."""
    concurrent_readers: bool = True
    """False if readers would conflict with the writer's locks and must take turns with it."""
    errors: tuple[type[Exception], ...]
    """Exceptions raised by SQLAlchemy and by the driver."""
    pictures: Path | None = None
    """Folder of pictures; None if pictures are stored in the database."""
    revision: ColumnElement[int]
    """SQL of the revision of a change made now; see `window`."""
    seen: str
    """SQL that records when terminals were last seen, from a JSON array of id, time and address.

    One statement covers all terminals: SQLite's driver releases the interpreter lock at every step,
    and waits for it beside a busy reactor.
    """
    elsewhere: str
    """SQL that selects, from the same array, terminals last seen from another address."""

    @abc.abstractmethod
    def held(self) -> AbstractContextManager[object]:
        """Keep other processes from the database as `alone` says, for as long as it is in use.

        Raises `StoreError` if another process prevents this.
        """

    def prepare_thd(self) -> None:
        """Prepare the files beside a migrated database; raises `StoreError` on failure."""
        return None

    def check_pictures(self) -> None:
        """Raise `StoreError` unless the folder of pictures is the one that was prepared."""
        return None

    def places(self) -> Sequence[StoragePlace]:
        """List the local files and folders of the database."""
        return []

    def close(self) -> None:
        """Close all connections."""
        self.readers.dispose()
        self.engine.dispose()

    def begin(self, driver: Any) -> None:
        """Begin a write transaction, if the driver does not begin it implicitly."""
        return None

    def take_turn(self, driver: Any, name: str) -> None:
        """Wait until no other transaction holds a turn, which ends with the transaction.

        A database with one writer at a time needs none.
        """
        return None

    def prepare_writer(self, driver: Any) -> None:
        """Set up the connection on which groups of units are committed."""
        return None

    @abc.abstractmethod
    def window(self, connection: Connection) -> tuple[int, int]:
        """Return the lowest revision that may still appear, and one above the highest that exists.

        All changes below the first number are committed and visible to later reads.
        """

    @abc.abstractmethod
    def insert(self, driver: Any, *inserts: Insert) -> None:
        """Insert with as few statements as possible.

        Ids ascend in the order of the rows and of the commits of all processes.
        """

    @abc.abstractmethod
    def finish(self, driver: Any, inserts: Sequence[Insert]) -> None:
        """Insert the last rows of a transaction; raise unless a commit will store all of it.

        A transaction that consists only of idempotent inserts may already be committed on return.
        """

    @abc.abstractmethod
    def audit_head(self, driver: Any) -> Sequence[Any]:
        """Return the highest id of the audit log, then the columns of its head (`AUDIT_HEAD`).

        No other process can read the head for writing until this transaction ends.
        """

    @abc.abstractmethod
    def integrity(self, connection: Connection) -> tuple[list[str], tuple[str, ...]]:
        """Return the faults that the database reports, and the skipped checks with reasons."""

    @abc.abstractmethod
    def check(self, driver: Any) -> None:
        """Raise unless a commit will store the whole transaction."""

    def confirm(self, driver: Any) -> None:
        """Raise `OutOfReach` unless the last commit is durable."""
        return None

    @abc.abstractmethod
    def migrating(self) -> AbstractContextManager[Connection]:
        """Transaction for a migration; other processes wait for its end without a time limit."""

    @property
    def needs_backup(self) -> bool:
        """Whether an upgrade must be preceded by a backup that was not made since the opening."""
        return False

    def backed_up(self, revision: str) -> AbstractContextManager[object]:
        """Back up the database before an upgrade to a revision, where zkpush does that itself.

        One copy covers all upgrades of a start, those of plugins as well. It is removed if the
        upgrade fails, since nothing has changed then.
        """
        return nullcontext()

    @abc.abstractmethod
    def vacuum(self) -> None:
        """Rewrite all tables with secrets, without deleted or replaced values."""

    def backups(self) -> list[Path]:
        """List the copies that upgrades left."""
        return []

    @abc.abstractmethod
    def abort(self, driver: Any) -> None:
        """End the transaction of a connection from another thread.

        The connection is unusable afterwards. May wait for the running statement.
        """

    def is_lost(self, driver: Any) -> bool:
        """Whether a connection is permanently lost."""
        return False

    def is_outside(self, error: BaseException) -> bool:
        """Whether an error comes from the database, disk or server rather than from the code."""
        if isinstance(error, self.errors):
            return self._is_outside(driver_error(error))
        return isinstance(error, StoreError | OSError) and not isinstance(error, NotUnsealed)

    @abc.abstractmethod
    def _is_outside(self, error: BaseException) -> bool:
        """Whether an error of the driver is independent of the statement and its values."""

    def is_passing(self, error: Exception) -> bool:
        """Whether the same unit of work may succeed if it is run again."""
        return False

    def words(self, error: Exception) -> str:
        """Return the message of the driver without values, which may be secret."""
        if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
            # SQLAlchemy failed to convert a parameter, and its message quotes the value.
            return f"a value cannot be stored ({type(error.orig or error).__name__})"
        cause = driver_error(error)
        if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            return without_quotes(str(cause))
        return str(cause)


def without_quotes(message: str) -> str:
    """Remove quoted parts from the message about an invalid statement.

     A value in the wrong place of a statement is reported, quoted, as a column or a syntax error.
    The names of missing tables are kept.
    """
    if message.startswith("no such table: "):
        return message
    return re.split(r"[:\"']", message, maxsplit=1)[0].strip() or "a statement is not right"


def quoted(names: Iterable[str]) -> str:
    """Quote column names for SQL, since some are keywords."""
    return ", ".join(f'"{name}"' for name in names)


def driver_error(error: Exception) -> BaseException:
    """Return the driver's own error; SQLAlchemy's message repeats the parameters."""
    return error.orig or error if isinstance(error, DBAPIError) else error


def parse_url(url: str) -> URL:
    """Parse a database URL; the `ValueError` for a bad one lists the valid forms."""
    try:
        parsed = make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        parsed = None
    # With an unescaped @ in the password, its end would be parsed as the host and shown.
    if parsed is None or "@" in (parsed.host or ""):
        raise ValueError(NO_URL)
    return parsed


def texts(dialect: str, parameter: str) -> Select[tuple[str]]:
    """Subquery of any number of texts, for `IN`; its parameter is a JSON array of them.

    The query is compiled once for any number of texts. `dialect` is the name of a dialect.
    """
    listed = bindparam(parameter, type_=Text())
    if dialect == "postgresql":
        rows = func.jsonb_array_elements_text(cast(listed, postgresql.JSONB))
    else:
        rows = func.json_each(listed)
    return select(rows.table_valued("value").c.value)


def numbers(dialect: str, parameter: str) -> Select[tuple[int]]:
    """Subquery of any number of integers, for `IN`; see `texts`."""
    (value,) = texts(dialect, parameter).selected_columns
    return select(cast(value, BigInteger()))


def in_arrays(dialect: str, query: Select[Any]) -> Select[Any]:
    """Query for one row: each column of `query` as a JSON array of its values, as text.

    The driver takes the interpreter lock for each row that it reads, and waits for it beside a busy
    reactor. Many rows are read in a fifth of the time as arrays.
    """
    array = func.json_agg if dialect == "postgresql" else func.json_group_array
    arrays: list[ColumnElement[Any]] = [
        func.coalesce(cast(array(column), Text()), "[]") for column in query.subquery().c
    ]
    found: Select[Any] = select(*arrays)
    return found


def insert(connection: Connection, table: Table) -> Any:
    """Return the dialect's insert, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
