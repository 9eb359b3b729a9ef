"""Everything in which databases differ; `sqlite` and `postgresql` say how each does it."""

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
from ..model import StoragePlace
from .keys import SiteKey

READERS = 4
"""Threads that run queries, each on a connection of its own."""
LOCKED_SECONDS = 30
"""How long a unit of work waits for what another process has locked, before it fails."""

NO_URL = (
    "this is not a database URL; use sqlite:////path/to/file or "
    "postgresql://user:password@host/name, with special characters of the password percent-encoded"
)
IN_USE = "a daemon uses the database; stop all that do, on every machine, and try again"
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
    """Rows to be inserted into one table."""

    table: Table
    names: tuple[str, ...]
    columns: Sequence[Sequence[object]]
    """The values of all rows, for each name."""
    conflict: str = "DO NOTHING"
    """SQL: what to do with a row that is there."""
    computed: tuple[tuple[str, str], ...] = ()
    """Further columns, and the SQL of their values."""
    idempotent: bool = False
    """Whether inserting the same rows twice has the same result as inserting them once."""


@attrs.frozen(kw_only=True)
class Database(abc.ABC):
    """An opened database. `driver` stands for a connection of its driver, below SQLAlchemy's."""

    where: str
    """Where it is, for messages: without secrets."""
    site: SiteKey
    """What the keys are wrapped under that seal secrets."""
    is_kept: bool = True
    """Whether it outlives the process."""
    alone: bool = False
    """Whether nobody else may use it, as long as this one does; else, nobody may use it alone."""
    engine: Engine
    """Connections that write: what locks they need is taken when a unit of work begins."""
    readers: Engine
    """Connections that read: each transaction sees one state of the database, and changes none."""
    concurrent_readers: bool = True
    """False where readers would meet the writer's locks, so that they have to take turns."""
    errors: tuple[type[Exception], ...]
    """What is raised if the database refuses, by SQLAlchemy and by the driver."""
    pictures: Path | None = None
    """The folder of pictures; None where they are kept in the database."""
    revision: ColumnElement[int]
    """The number of a change that is made now; see `window`."""
    seen: str
    """SQL that writes when terminals were last seen, from a JSON array of id, time and address.

    One statement for all of them: SQLite's driver lets go of the interpreter at every step, and
    gets it back late from a busy reactor.
    """
    elsewhere: str
    """SQL that finds, by the same array, terminals that were last seen from another address."""

    @abc.abstractmethod
    def held(self) -> AbstractContextManager[object]:
        """Keep others from the database as `alone` says, as long as it is in use.

        `StoreError` if they keep it from us.
        """

    def prepare_thd(self) -> None:
        """Prepare what is beside the database, once that is migrated; `StoreError` if it fails."""
        return None

    def check_pictures(self) -> None:
        """Raise `StoreError` unless the folder of pictures is the one that was prepared."""
        return None

    def places(self) -> Sequence[StoragePlace]:
        """The files and folders of this machine that it is kept in."""
        return []

    def close(self) -> None:
        """Let go of all connections."""
        self.readers.dispose()
        self.engine.dispose()

    def begin(self, driver: Any) -> None:
        """Begin a transaction that writes, where the driver does not do it by itself."""
        return None

    def prepare_writer(self, driver: Any) -> None:
        """Set up the connection that groups of units are committed on."""
        return None

    @abc.abstractmethod
    def window(self, connection: Connection) -> tuple[int, int]:
        """The lowest revision that may still come, and one above the highest that may be there.

        Changes below the first number are all committed, and seen by what is read after this.
        """

    @abc.abstractmethod
    def insert(self, driver: Any, *inserts: Insert) -> None:
        """Insert with as few statements as it takes.

        Ids ascend in the order of the rows, and of the commits of all processes.
        """

    @abc.abstractmethod
    def finish(self, driver: Any, inserts: Sequence[Insert]) -> None:
        """Insert the last rows of a transaction, and raise unless a commit will store all of it.

        Where rows are all that it does, and may be inserted twice, they may be committed already.
        """

    @abc.abstractmethod
    def audit_head(self, driver: Any) -> Sequence[Any]:
        """The highest id of the audit log, then the columns of its head (`AUDIT_HEAD`).

        No other process reads the head to add rows until this transaction ends.
        """

    @abc.abstractmethod
    def integrity(self, connection: Connection) -> tuple[list[str], tuple[str, ...]]:
        """What the database itself finds wrong, in words; and what it did not look at, and why."""

    @abc.abstractmethod
    def check(self, driver: Any) -> None:
        """Raise unless a commit will store everything that the transaction did."""

    def confirm(self, driver: Any) -> None:
        """Raise `OutOfReach` unless what was just committed is in the database to stay."""
        return None

    @abc.abstractmethod
    def migrating(self) -> AbstractContextManager[Connection]:
        """A transaction to migrate in; other processes wait for its end, however long it takes."""

    def backed_up(self, revision: str) -> AbstractContextManager[object]:
        """Keep a copy of what is upgraded to a revision of the schema, where that is for us to do.

        Without the upgrade, if that fails, there is no copy either: nothing has changed.
        """
        return nullcontext()

    @abc.abstractmethod
    def vacuum(self) -> None:
        """Write all tables with secrets anew, without what was deleted or replaced in them."""

    def backups(self) -> list[Path]:
        """The copies that upgrades have left."""
        return []

    @abc.abstractmethod
    def abort(self, driver: Any) -> None:
        """End the transaction of a connection, from another thread than the one that uses it.

        It cannot be used any more. May wait for a statement that runs.
        """

    def is_lost(self, driver: Any) -> bool:
        """Whether a connection has come to its end."""
        return False

    def is_outside(self, error: BaseException) -> bool:
        """Whether the database, the disk or a server fails, and not the code that asked them."""
        if isinstance(error, self.errors):
            return self._is_outside(driver_error(error))
        return isinstance(error, StoreError | OSError) and not isinstance(error, NotUnsealed)

    @abc.abstractmethod
    def _is_outside(self, error: BaseException) -> bool:
        """Whether an error of the driver says nothing about the statement or its values."""

    def is_passing(self, error: Exception) -> bool:
        """Whether the same unit of work may well succeed if it is run again."""
        return False

    def words(self, error: Exception) -> str:
        """What the driver says, without values: they may be secret."""
        if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
            # Not the driver, but what makes its parameters, refused one; and quotes it.
            return f"a value cannot be stored ({type(error.orig or error).__name__})"
        cause = driver_error(error)
        if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            return without_quotes(str(cause))
        return str(cause)


def without_quotes(message: str) -> str:
    """What is said of a statement that is not right, without the part of it that is quoted.

    Where a value stands in SQL, it is taken for a column or for no SQL; a table is what it is.
    """
    if message.startswith("no such table: "):
        return message
    return re.split(r"[:\"']", message, maxsplit=1)[0].strip() or "a statement is not right"


def quoted(names: Iterable[str]) -> str:
    """Names of columns in SQL: some are words of the language."""
    return ", ".join(f'"{name}"' for name in names)


def driver_error(error: Exception) -> BaseException:
    """The driver's own error: SQLAlchemy's repeats the parameters."""
    return error.orig or error if isinstance(error, DBAPIError) else error


def parse_url(url: str) -> URL:
    """Read a database URL; `ValueError` says which there are."""
    try:
        parsed = make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        parsed = None
    # Of a password with a bare @, the rest would be taken for the host, and shown.
    if parsed is None or "@" in (parsed.host or ""):
        raise ValueError(NO_URL)
    return parsed


def texts(dialect: str, parameter: str) -> Select[tuple[str]]:
    """A subquery of any number of texts, for `IN`; the parameter is a JSON array of them.

    A query is compiled once, however many texts there are. `dialect` is the name of one.
    """
    listed = bindparam(parameter, type_=Text())
    if dialect == "postgresql":
        rows = func.jsonb_array_elements_text(cast(listed, postgresql.JSONB))
    else:
        rows = func.json_each(listed)
    return select(rows.table_valued("value").c.value)


def insert(connection: Connection, table: Table) -> Any:
    """An insert of the connection's own dialect, with `on_conflict_do_nothing` and `…_update`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
