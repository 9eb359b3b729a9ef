"""PostgreSQL store, a plugin: for any number of processes on any number of machines."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
import sqlalchemy
from sqlalchemy import Connection, LargeBinary, Table, event, literal_column, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import IMaintainedStoreFactory, StoreError
from .databases import (
    AUDIT_HEAD,
    READERS,
    Database,
    Insert,
    driver_error,
    parse_url,
    quoted,
    without_quotes,
)
from .keys import SiteKey
from .pgsessions import CONNECTING, begin_session, check_server, lock_holder, without_secrets
from .store import Store

if TYPE_CHECKING:
    import psycopg

_SERVER = text(
    "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), "
    "pg_is_in_recovery(), current_setting('fsync')"
)
_SNAPSHOT = text(
    "SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint "
    "FROM pg_current_snapshot() AS now"
)
_CHECKSUMS = text(
    "SELECT current_setting('data_checksums'), coalesce(checksum_failures, 0) "
    "FROM pg_stat_database WHERE datname = current_database()"
)
_TABLES = text(
    "SELECT oid::regclass::text FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 1"
)
_HAS_AMCHECK = text("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'")
_INDEXES = text(
    "SELECT index.indexrelid::regclass::text FROM pg_index AS index "
    "JOIN pg_class ON pg_class.oid = index.indexrelid JOIN pg_am ON pg_am.oid = pg_class.relam "
    "WHERE pg_am.amname = 'btree' AND pg_class.relnamespace = current_schema()::regnamespace "
    "ORDER BY 1"
)
_CHECK_INDEX = text("SELECT bt_index_check(CAST(:name AS text)::regclass, true)")
_MIGRATING = text(
    "SELECT set_config('lock_timeout', '0', true), pg_advisory_xact_lock(hashtext('zkpush schema'))"
)
_TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtext('zkpush ids'))"
_TURN = f"turn AS MATERIALIZED ({_TAKE_TURN})"
_AUDIT_TURN = f"{_TAKE_TURN}; {AUDIT_HEAD}"
_ELSEWHERE = """
WITH seen AS (
    SELECT (value->>0)::bigint AS id, value->>2 AS address
    FROM jsonb_array_elements(%s::jsonb) AS value
)
SELECT devices.id, devices.last_seen_at, devices.address
FROM seen JOIN devices USING (id)
WHERE devices.address IS DISTINCT FROM seen.address AND devices.last_seen_at IS NOT NULL
"""
_SEEN = """
WITH seen AS (
    SELECT (value->>0)::bigint AS id, (value->>1)::bigint AS at, value->>2 AS address
    FROM jsonb_array_elements(%s::jsonb) AS value
), locked AS MATERIALIZED (
    -- In one order everywhere, so that two nodes do not wait for each other.
    SELECT id FROM devices WHERE id IN (SELECT id FROM seen) ORDER BY id FOR NO KEY UPDATE
)
UPDATE devices SET last_seen_at = seen.at, address = seen.address
FROM seen JOIN locked USING (id)
WHERE devices.id = seen.id AND NOT coalesce(last_seen_at, 0) BETWEEN seen.at AND seen.at + 300000
"""
_BAD_STATEMENT = "42"
"""SQLSTATE class of invalid or forbidden statements."""
_NO_TABLE = "42P01"
_DATA_EXCEPTION = "22"
"""SQLSTATE class of invalid values."""
_OUTSIDE = frozenset({"08", "40", "53", "55", "57", "58", "F0", "XX"})
"""SQLSTATE classes of errors unrelated to the statement: connections, resources, locks, the server
itself."""
_DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # it has no types
_NO_DRIVER = "PostgreSQL needs its driver: pip install 'zkpush[postgresql]'"
_log = Logger()


@attrs.frozen(kw_only=True)
class PostgreSQL(Database):
    """A PostgreSQL database; writers run concurrently, and cursor ids ascend in commit order."""

    def held(self) -> AbstractContextManager[object]:
        """Do nothing here: every connection takes its own lock, see `lock_holder`."""
        return nullcontext()

    def window(self, connection: Connection) -> tuple[int, int]:
        """Return the ids of the oldest running transaction and of the next one.

        A revision is the id of the transaction that made the change. Transactions get their ids
        when they begin to write, and end in another order. The highest visible id therefore says
        nothing about lower ones, and a sequence would not either. A snapshot, however, contains the
        oldest running transaction: all earlier ones have ended, and later reads see their changes.
        A reader that continues from there misses nothing and gets some changes twice, which is
        harmless. A copied database contains higher ids from its origin. They are treated as old,
        and the upper bound keeps them from being reported for ever.
        """
        oldest, following = connection.execute(_SNAPSHOT).one()
        return int(oldest), int(following)

    def insert(self, driver: psycopg.Connection[Any], *inserts: Insert) -> None:
        """Insert everything with one statement, from JSON arrays.

        JSON is the fastest form of parameters, because psycopg adapts others in Python.
        """
        if inserts:
            # The first insert comes last in the statement; its SELECT takes the id lock first.
            ordered = [*inserts[1:], inserts[0]]
            driver.execute(
                _insert_sql(
                    *((one.table, one.names, one.conflict, one.computed) for one in ordered)
                ),
                [
                    msgspec.json.encode(list(zip(*one.columns, strict=True))).decode()
                    for one in ordered
                ],
            )

    def finish(self, driver: psycopg.Connection[Any], inserts: Sequence[Insert]) -> None:
        """Insert with one statement, as a transaction of its own if the group does nothing else.

        This waits for one reply instead of four. The inserts must be idempotent: if the connection
        is lost, it is unknown whether they were committed. psycopg begins a transaction only with
        the first statement.
        """
        idle = driver.info.transaction_status.IDLE
        is_untouched = driver.info.transaction_status == idle
        if is_untouched and all(insert.idempotent for insert in inserts):
            self._insert_alone(driver, inserts)
            return
        self.check(driver)  # gives a clearer error than a failing insert
        self.insert(driver, *inserts)
        self.check(driver)

    def _insert_alone(self, driver: psycopg.Connection[Any], inserts: Sequence[Insert]) -> None:
        """Insert in a transaction of its own, which is committed on return.

        Sends a statement even without rows, so that no unit succeeds without the server.
        """
        driver.autocommit = True
        try:
            if inserts:
                self.insert(driver, *inserts)
            else:
                driver.execute("SELECT 1")
        finally:
            if not driver.closed:
                driver.autocommit = False

    def audit_head(self, driver: psycopg.Connection[Any]) -> Sequence[Any]:
        """Take the id lock, then read the head of the audit log as of the last commit.

        Both statements are sent together; the second one has its own snapshot.
        """
        cursor = driver.execute(_AUDIT_TURN, prepare=False)
        cursor.nextset()
        head: Sequence[Any] = cursor.fetchall()[0]
        return head

    def integrity(self, connection: Connection) -> tuple[list[str], tuple[str, ...]]:
        """Report failed page checksums, and check all indexes if `amcheck` is installed."""
        damage, notes = [], []
        checksums, failures = connection.execute(_CHECKSUMS).one()
        if failures:
            damage.append(f"{failures} pages had wrong checksums; see the log of the server")
        if checksums != "on":
            notes.append("the server has no checksums of pages (pg_checksums --enable)")
        if not connection.execute(_HAS_AMCHECK).scalar():
            notes.append("indexes are not checked (CREATE EXTENSION amcheck)")
            return damage, tuple(notes)
        for name in connection.execute(_INDEXES).scalars().all():
            try:
                with connection.begin_nested():
                    connection.execute(_CHECK_INDEX, {"name": name})
            except SQLAlchemyError as error:
                damage.append(f"index {name}: {self.words(error)}")
        return damage, tuple(notes)

    def check(self, driver: psycopg.Connection[Any]) -> None:
        """Raise if the connection is closed, or if COMMIT would roll back.

        The server turns COMMIT into ROLLBACK, silently, after an error that the unit of work
        ignored.
        """
        status = driver.info.transaction_status
        if driver.closed:
            driver.execute("SELECT 1")  # raises the driver's own error
        if status not in (status.IDLE, status.INTRANS):
            raise StoreError("a unit of work went on after the database had refused something")

    @contextlib.contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Transaction with a lock that is released at its end."""
        with self.engine.begin() as connection:
            connection.execute(_MIGRATING)
            yield connection

    def vacuum(self) -> None:
        """Rewrite all tables, including those of plugins: any of them may hold secrets."""
        with self.engine.connect() as connection:
            outside = connection.execution_options(isolation_level="AUTOCOMMIT")
            for name in outside.execute(_TABLES).scalars().all():
                outside.exec_driver_sql(f"VACUUM (FULL) {name}")

    def is_lost(self, driver: psycopg.Connection[Any]) -> bool:
        """Whether the server has closed the connection or is unreachable."""
        return driver.closed

    def take_turn(self, driver: psycopg.Connection[Any], name: str) -> None:
        """Take an advisory lock for the rest of the transaction."""
        driver.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"zkpush {name}",))

    def abort(self, driver: psycopg.Connection[Any]) -> None:
        """Shut down the socket: the server rolls back, and the thread in use gets an error.

        Acts on the socket because libpq is not safe for two threads at once.
        """
        import psycopg

        with (
            contextlib.suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(driver.fileno())) as cut,
        ):
            cut.shutdown(socket.SHUT_RDWR)

    def _is_outside(self, error: BaseException) -> bool:
        """Whether the server, its disk, a lock or the connection is at fault."""
        import psycopg

        if not isinstance(error, psycopg.Error):
            return False
        if error.sqlstate is None:  # raised by the driver itself
            return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return error.sqlstate[:2] in _OUTSIDE

    def is_passing(self, error: Exception) -> bool:
        """Whether the error is a deadlock or a serialization failure, which a rerun may avoid."""
        from psycopg import errors

        return isinstance(
            driver_error(error), errors.DeadlockDetected | errors.SerializationFailure
        )

    def words(self, error: Exception) -> str:
        """Return the primary message, without the details, which quote values."""
        cause = driver_error(error)
        diagnosis = getattr(cause, "diag", None)
        primary = getattr(diagnosis, "message_primary", None)
        sqlstate = str(getattr(diagnosis, "sqlstate", None))
        if sqlstate.startswith(_BAD_STATEMENT) and sqlstate != _NO_TABLE and primary:
            return without_quotes(primary)
        if sqlstate.startswith(_DATA_EXCEPTION):
            # In this class, the message itself quotes the value, such as an invalid number.
            return f"a value cannot be stored ({type(cause).__name__})"
        return primary or " ".join(super().words(error).split())


_Kind = tuple[Table, tuple[str, ...], str, tuple[tuple[str, str], ...]]
"""Table, names, conflict clause and computed columns of an insert."""


@functools.lru_cache(256)
def _insert_sql(*kinds: _Kind) -> str:
    """Statement that inserts the rows of JSON arrays into tables.

    Where ids are cursors of readers, no id may become visible before all lower ones. A transaction
    that takes ids therefore holds a lock until its commit. Inserts in the same statement take the
    lock too, in a fixed order.
    """
    turn = any("id" in table.c for table, *_ in kinds)
    *others, last = (_one_insert_sql(*kind, turn=turn) for kind in kinds)
    beside = [f"beside_{place} AS ({sql})" for place, sql in enumerate(others)]
    before = ", ".join([_TURN] * turn + beside)
    return f"WITH {before} {last}" if before else last


def _one_insert_sql(
    table: Table,
    names: tuple[str, ...],
    conflict: str,
    computed: tuple[tuple[str, str], ...],
    *,
    turn: bool,
) -> str:
    values = [_value(table, name, place) for place, name in enumerate(names)]
    every = [*names, *(name for name, _ in computed)]
    values += [sql for _, sql in computed]
    return (
        f"INSERT INTO {table.name} ({quoted(every)}) "  # noqa: S608 - no input
        f"SELECT {', '.join(values)} "
        f"FROM {'turn, ' if turn else ''}jsonb_array_elements(%s::jsonb) AS row "
        f"ON CONFLICT {conflict}"
    )


def _value(table: Table, name: str, place: int) -> str:
    kind = table.c[name].type
    if isinstance(kind, LargeBinary):
        return f"decode(row->>{place}, 'base64')"
    return f"(row->>{place})::{kind.compile(_DIALECT)}"


def open_postgresql(
    url: str, key: bytes, *, alone: bool = False, existing: bool = True
) -> PostgreSQL:
    """Open an existing PostgreSQL database.

    Raises `StoreError` on failure, with a message that does not contain the password.
    """
    parsed = parse_url(url)
    full = parsed.set(drivername="postgresql+psycopg", query={**CONNECTING, **parsed.query})
    try:
        import psycopg

        # No column is of the type hstore, for which an engine would look in the catalogue.
        both: dict[str, Any] = {"hide_parameters": True, "use_native_hstore": False}
        # The lock belongs to a connection, so exclusive use needs a single one.
        one = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
        engine = sqlalchemy.create_engine(
            full, **both, **(one if alone else {"poolclass": NullPool})
        )
        pool = sqlalchemy.create_engine(
            full, poolclass=QueuePool, pool_size=READERS, pool_pre_ping=True, **both
        )
    except ImportError as error:
        raise StoreError(_NO_DRIVER) from error
    hold = lock_holder(alone)
    for each in (engine, pool):
        event.listen(each, "connect", hold)
        event.listen(each, "connect", begin_session)
    database = PostgreSQL(
        where=f"PostgreSQL {parsed.host or 'on this machine'}, database {parsed.database}",
        site=SiteKey(key),
        alone=alone,
        engine=engine,
        readers=pool.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
        errors=(SQLAlchemyError, psycopg.Error),
        revision=literal_column("pg_current_xact_id()::text::bigint"),
        seen=_SEEN,
        elsewhere=_ELSEWHERE,
    )
    try:
        with engine.connect() as connection:
            check_server(*connection.execute(_SERVER).one())
    except SQLAlchemyError as error:
        raise StoreError(
            f"cannot open the PostgreSQL database {parsed.database}: "
            f"{without_secrets(database.words(error), parsed)}"
        ) from None
    return database


@implementer(IPlugin, IMaintainedStoreFactory)
class PostgreSQLStores:
    """Opens `postgresql://user:password@host/name`, with any options of libpq."""

    schemes = ("postgresql",)

    def open(self, url: str, key: bytes, reactor: IReactorFromThreads) -> Store:
        """Create a store, not yet started; raises `ValueError` for an invalid URL."""
        parse_url(url)
        return Store(lambda: open_postgresql(url, key), reactor)

    def open_database(self, url: str, key: bytes, *, alone: bool, existing: bool) -> PostgreSQL:
        """Open the database for `zkpush database`."""
        return open_postgresql(url, key, alone=alone, existing=existing)
