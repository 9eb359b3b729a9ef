"""The kind `sql`: rows in a table of another PostgreSQL or SQLite database."""

from __future__ import annotations

import contextlib
import pathlib
import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
from twisted.internet.defer import Deferred
from twisted.plugin import IPlugin
from zope.interface import implementer

from ....interfaces import IDelivery, IForwarder
from ....values.forwarding import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    ForwardedEvent,
    ForwarderTarget,
    Outcome,
    RefusedBatch,
    RetryLater,
)
from ..replies import quote
from .columns import check_names, value_of
from .foreign import (
    DatabaseLost,
    ForeignDatabase,
    PostgreSQLDatabase,
    Row,
    RowRefused,
    SQLiteDatabase,
    StatementRefused,
)
from .thread import DeliveryThread, StillBusy

MOST_COLUMNS = 50
PORT = 5432
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]{0,62}", re.ASCII)
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,40}", re.ASCII)
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})
_SSL = frozenset({"sslmode", "sslrootcert"})
_ID = "event_id"
_URL = (
    "url: It is such as postgresql://user@db.example.com/hr, or sqlite:////srv/hr.sqlite with an "
    "absolute path."
)


class SQLSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table, and what its columns contain."""

    url: Annotated[
        str,
        Meta(
            description="The database: postgresql://USER@HOST:PORT/NAME, with ?sslmode= and "
            "&sslrootcert= if wanted, or sqlite:////PATH"
        ),
    ]
    table: Annotated[
        str, Meta(description="Name of the table, or SCHEMA.TABLE", examples=["punches"])
    ]
    columns: Annotated[
        dict[str, str],
        Meta(
            description="Values by column. One of them is event_id, in a column that is unique in "
            "the table"
        ),
    ] = msgspec.field(
        default_factory=lambda: {
            "event_id": "event_id",
            "pin": "pin",
            "device": "device",
            "punched_at": "moment",
            "status": "status",
        }
    )
    password: Annotated[str, Meta(description="Password of the user", extra={"secret": True})] = ""
    id_prefix: Annotated[
        str,
        Meta(
            description="Text before each event_id; choose another one when the server was set up "
            "anew, as its ids begin at 1 again"
        ),
    ] = ""
    allow_private: Annotated[
        bool,
        Meta(
            description="Whether the database may be in a private network or on this machine, and "
            "be spoken to without TLS"
        ),
    ] = False


@implementer(IPlugin, IForwarder)
class SQL:
    """Writes rows into a table."""

    name = "sql"
    summary = "Rows in a table of another database (PostgreSQL or SQLite)"
    settings = SQLSettings
    limits = BatchLimits(events=500, bytes=500_000)
    makes_secret = False

    def check(self, settings: Any) -> None:
        """Check the URL, and the names; whether they exist is seen at the first delivery."""
        check_database(settings)
        names = settings.table.split(".")
        if len(names) > 2 or not all(map(_IDENTIFIER.fullmatch, names)):
            raise ValueError("table: It is a name of letters, digits and _, or SCHEMA.TABLE.")
        columns = settings.columns
        if not 0 < len(columns) <= MOST_COLUMNS:
            raise ValueError(f"columns: There are 1 to {MOST_COLUMNS} columns.")
        for name in columns:
            if not _IDENTIFIER.fullmatch(name):
                raise ValueError(f"columns: {name[:40]!r} is not a name of a column.")
        check_names("columns", columns.values())
        if [*columns.values()].count(_ID) != 1:
            raise ValueError("columns: One column, and only one, has the value event_id.")
        if not _PREFIX.fullmatch(settings.id_prefix):
            raise ValueError("id_prefix: It consists of up to 40 letters, digits, ., - and _.")

    def open(self, target: ForwarderTarget) -> IDelivery:
        """Make the writer; it connects at the first delivery."""
        delivery: IDelivery = SQLDelivery(target)
        return delivery


def check_database(settings: SQLSettings) -> URL:
    """Return the parsed URL of a database; `ValueError` if it is not permitted."""
    try:
        url = make_url(settings.url)
    except (ArgumentError, ValueError):
        raise ValueError(_URL) from None
    if url.password is not None:
        raise ValueError("url: Leave out the password; the setting password is never shown.")
    if url.drivername == "sqlite":
        if url.host or url.query or not pathlib.PurePosixPath(url.database or "").is_absolute():
            raise ValueError(_URL)
        return url
    socket = url.query.get("host")
    if url.drivername not in ("postgresql", "postgres") or not url.database:
        raise ValueError(_URL)
    if not {*url.query} <= {*_SSL, "host"} or not all(
        isinstance(one, str) for one in url.query.values()
    ):
        raise ValueError("url: Only sslmode, sslrootcert and host can follow the question mark.")
    if socket is not None and (url.host or not str(socket).startswith("/")):
        raise ValueError("url: host= is the folder of a socket; write another host after the @.")
    if not url.host and socket is None:
        raise ValueError(_URL)
    if settings.allow_private:
        return url
    if socket is not None:
        raise ValueError("url: A socket is on this machine: set allow_private.")
    if url.query.get("sslmode", "require") not in _ENCRYPTED:
        raise ValueError("url: This sslmode needs allow_private, in a private network.")
    return url


def database_of(target: ForwarderTarget) -> ForeignDatabase:
    """Return the database of the settings."""
    settings: SQLSettings = target.settings
    url = check_database(settings)
    if url.drivername == "sqlite":
        own = pathlib.Path(target.own_folder) if target.own_folder else None
        return SQLiteDatabase(path=pathlib.Path(url.database or ""), forbidden=own)
    ssl = {name: str(value) for name, value in url.query.items() if name in _SSL}
    if not settings.allow_private:
        ssl.setdefault("sslmode", "require")
    return PostgreSQLDatabase(
        host=url.host or str(url.query["host"]),
        port=url.port or PORT,
        user=url.username,
        password=settings.password,
        database=url.database,
        ssl=ssl,
        allow_private=settings.allow_private,
    )


def statement_of(settings: SQLSettings, mark: str) -> str:
    """Return the statement that inserts a row, or updates the one with its event_id."""
    table = ".".join(map(_quoted, settings.table.split(".")))
    names = [_quoted(name) for name in settings.columns]
    (key,) = (_quoted(name) for name, value in settings.columns.items() if value == _ID)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name != key)
    marks = ", ".join([mark] * len(names))
    action = f"UPDATE SET {changes}" if changes else "NOTHING"
    # Names were validated and are quoted; values are parameters.
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}) "  # noqa: S608
        f"ON CONFLICT ({key}) DO {action}"
    )


def removal_of(settings: SQLSettings, mark: str) -> str:
    """Return the statement that removes the row with an event_id."""
    table = ".".join(map(_quoted, settings.table.split(".")))
    (key,) = (_quoted(name) for name, value in settings.columns.items() if value == _ID)
    return f"DELETE FROM {table} WHERE {key} = {mark}"  # noqa: S608 - as above


def _quoted(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is not a name")
    return f'"{name}"'


@implementer(IDelivery)
class SQLDelivery:
    """Writes to one table, on a connection and a thread of its own."""

    def __init__(self, target: ForwarderTarget) -> None:
        self._settings: SQLSettings = target.settings
        self._database = database_of(target)
        self._statement = statement_of(target.settings, self._database.mark)
        self._removal = removal_of(target.settings, self._database.mark)
        self._thread = DeliveryThread(target.clock, f"zkpush forwarder {target.name}")
        self._connection: Any = None

    def deliver(self, batch: ForwardBatch) -> Deferred[Outcome]:
        """Write the rows of a batch."""
        writing: Deferred[Outcome] = self._thread.run(lambda: self._deliver_thd(batch))
        return writing.addErrback(_unwritten)

    def close(self) -> None:
        """Disconnect, and end the thread."""
        self._thread.close(self._disconnect_thd)

    def _deliver_thd(self, batch: ForwardBatch) -> Outcome:
        was_connected = self._connection is not None
        try:
            return self._write_thd(batch)
        except DatabaseLost:
            if not was_connected:
                raise
        return self._write_thd(batch)  # the server has closed an idle connection

    def _write_thd(self, batch: ForwardBatch) -> Outcome:
        if any(event.type == "test" for event in batch.events):
            explained = f"EXPLAIN {statement_of(self._settings, 'NULL')}"
            self._run_thd(lambda cursor: cursor.execute(explained))
            return Delivered("The table has these columns. Nothing was written.")
        try:
            self._write_events_thd(batch.events)
        except RowRefused as error:
            return self._write_apart_thd(batch.events, error)
        return Delivered("Written")

    def _write_apart_thd(self, events: Sequence[ForwardedEvent], first: RowRefused) -> Outcome:
        """Write each row by itself; park those that the table does not take."""
        if len(events) == 1:
            return RefusedBatch(f"Row refused: {quote(str(first))}")
        parked = {}
        for event in events:
            try:
                self._write_events_thd([event])
            except RowRefused as error:
                parked[event.id] = f"Row refused: {quote(str(error))}"
        if len(parked) == len(events):  # the mapping is wrong rather than each row
            return RefusedBatch(f"Every row refused: {quote(str(first))}")
        return Delivered("Written", parked)

    def _write_events_thd(self, events: Sequence[ForwardedEvent]) -> None:
        """Write and remove rows in one transaction, in the order of the events."""
        runs = [
            (self._removal, [[self._identity(event)] for event in several])
            if is_withdrawn
            else (self._statement, [self._row(event) for event in several])
            for is_withdrawn, several in groupby(events, key=lambda event: event.is_withdrawn)
        ]

        def write(cursor: Any) -> None:
            for statement, rows in runs:
                cursor.executemany(statement, rows)

        self._run_thd(write)

    def _run_thd(self, work: Callable[[Any], object]) -> None:
        """Run work in a transaction; an exception of `foreign` if it fails."""
        if self._connection is None:
            self._connection = self._database.connect()
        connection = self._connection
        try:
            with contextlib.closing(connection.cursor()) as cursor:
                work(cursor)
            connection.commit()
        except Exception as error:
            fault = self._database.fault(error)
            try:
                connection.rollback()
            except Exception:
                fault = DatabaseLost(str(fault))
            if isinstance(fault, DatabaseLost):
                self._disconnect_thd()
            raise fault from None

    def _disconnect_thd(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()

    def _identity(self, event: ForwardedEvent) -> str:
        return f"{self._settings.id_prefix}{event.subject}"

    def _row(self, event: ForwardedEvent) -> Row:
        settings = self._settings
        values = (
            self._identity(event) if name == _ID else value_of(event, name)
            for name in settings.columns.values()
        )
        return [self._database.value(value) for value in values]


def _unwritten(failure: Any) -> Outcome:
    """Return the outcome of a write that failed."""
    failure.trap(DatabaseLost, StatementRefused, StillBusy)
    error = failure.value
    words = quote(f"Not written: {error}")
    return RefusedBatch(words) if isinstance(error, StatementRefused) else RetryLater(words)
