"""Databases of other programs: PostgreSQL and SQLite, through their drivers.

Everything here blocks, and runs on the thread of a forwarder.
"""

from __future__ import annotations

import pathlib
import sqlite3
import urllib.parse
from collections.abc import Sequence
from typing import Any, Protocol

import attrs
import msgspec

from .hosts import HostUnreachable, permitted_thd

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 15
"""Longest time of a statement; less than a delivery may take."""
_NO_DRIVER = "The driver of PostgreSQL is missing: pip install 'zkpush[postgresql]'"
Row = Sequence[object]


class DatabaseLost(Exception):
    """The database cannot be reached, or asks for patience."""


class StatementRefused(Exception):
    """The table or the columns are not as the settings say."""


class RowRefused(Exception):
    """The table does not take a row."""


class ForeignDatabase(Protocol):
    """A database that a forwarder writes to. Its methods raise the exceptions of this module."""

    @property
    def mark(self) -> str:
        """Placeholder of a parameter."""

    def connect(self) -> Any:
        """Return a new DB-API connection."""

    def value(self, value: object) -> object:
        """Return a value as a parameter."""

    def fault(self, error: Exception) -> Exception:
        """Return the exception of this module for an error of the driver."""


def first_line(error: object) -> str:
    """Return the first line of a message of a driver; the others quote the statement."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@attrs.frozen(kw_only=True)
class PostgreSQLDatabase:
    """A PostgreSQL database. Values are sent as text, which the server converts to the columns."""

    host: str
    """A name or an address, or the folder of a socket."""
    port: int
    user: str | None
    password: str
    database: str | None
    ssl: dict[str, str]
    allow_private: bool
    mark: str = "%s"

    def connect(self) -> Any:
        """Connect to an address that was checked."""
        try:
            import psycopg
        except ImportError:
            raise DatabaseLost(_NO_DRIVER) from None
        parameters: dict[str, Any] = {
            **self._where(),
            "user": self.user,
            "password": self.password or None,
            "dbname": self.database,
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "zkpush",
            "options": f"-c statement_timeout={STATEMENT_SECONDS}s",
            "tcp_user_timeout": 1000 * STATEMENT_SECONDS,
            **self.ssl,
        }
        try:
            return psycopg.connect(**parameters)
        except psycopg.Error as error:
            raise DatabaseLost(self._words(error)) from None

    def value(self, value: object) -> object:
        """Return a text; the server knows the type of the column."""
        if value is None or isinstance(value, str):
            return value
        return msgspec.json.encode(value).decode()

    def fault(self, error: Exception) -> Exception:
        """Tell errors of rows from those of the statement and of the server."""
        import psycopg

        words = self._words(error)
        if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
            return RowRefused(words)
        if isinstance(error, psycopg.ProgrammingError | psycopg.NotSupportedError):
            return StatementRefused(words)
        return DatabaseLost(words)

    def _where(self) -> dict[str, str]:
        if self.host.startswith("/"):
            return {"host": self.host, "port": str(self.port)}
        try:
            addresses = permitted_thd(self.host, self.port, allow_private=self.allow_private)
        except HostUnreachable as error:
            raise DatabaseLost(str(error)) from None
        several = len(addresses)
        return {
            "hostaddr": ",".join(addresses),
            "host": ",".join([self.host] * several),
            "port": ",".join([str(self.port)] * several),
        }

    def _words(self, error: object) -> str:
        words = first_line(error)
        return words.replace(self.password, "…") if self.password else words


@attrs.frozen(kw_only=True)
class SQLiteDatabase:
    """A SQLite file, which exists."""

    path: pathlib.Path
    forbidden: pathlib.Path | None
    """Folder in which it must not be."""
    mark: str = "?"

    def connect(self) -> Any:
        """Open the file."""
        if self.forbidden is not None and self.forbidden.resolve() in self.path.resolve().parents:
            raise DatabaseLost(f"{self.path} is in the data directory of the server")
        if not self.path.is_file():
            raise DatabaseLost(f"There is no file {self.path}")
        try:
            where = f"file:{urllib.parse.quote(str(self.path))}?mode=rw"
            return sqlite3.connect(where, uri=True, timeout=CONNECT_SECONDS)
        except sqlite3.Error as error:
            raise DatabaseLost(first_line(error)) from None

    def value(self, value: object) -> object:
        """Return a text or a number."""
        if value is None or isinstance(value, str | int | float):
            return value
        return msgspec.json.encode(value).decode()

    def fault(self, error: Exception) -> Exception:
        """Tell errors of rows from those of the statement and of the file."""
        words = first_line(error)
        if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError | OverflowError):
            return RowRefused(words)
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_ERROR or isinstance(error, sqlite3.ProgrammingError):
            return StatementRefused(words)
        return DatabaseLost(words)
