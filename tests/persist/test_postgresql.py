"""What is PostgreSQL's own: servers, connections that end, and sessions."""

from __future__ import annotations

import socket
import sys
import time
from urllib.parse import quote

import psycopg
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.logger import LogEvent, globalLogPublisher

from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.interfaces import StoreError
from zkpush.model import DeviceState
from zkpush.persist import pgsessions
from zkpush.persist.audit import AuditStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.events import EventStore
from zkpush.persist.postgresql import PostgreSQLStores
from zkpush.persist.stamps import StampStore
from zkpush.protocol.times import wall_clock

from ..keys import KEY


def with_options(url: str, **options: object) -> str:
    """A URL with more options."""
    text = "&".join(f"{name}={quote(str(value))}" for name, value in options.items())
    return f"{url}{'&' if '?' in url else '?'}{text}"


def setting(name: str):
    """A unit that gives a setting of its session."""
    return lambda tx: tx.connection.exec_driver_sql(f"SHOW {name}").scalar()


def add(sn: str):
    """A unit that records a terminal."""
    return lambda tx: tx[DeviceStore].add(sn, DeviceState.APPROVED, "UTC", 1)


def serial_numbers(tx) -> list[str]:
    """A query for all terminals."""
    return [device.sn for device in tx[DeviceStore].changed_since(0)[0]]


@pytest_twisted.async_yield_fixture
async def store(postgres_url: str):
    """A store on PostgreSQL."""
    store = PostgreSQLStores().open(postgres_url, KEY, reactor)
    store.start()
    yield store
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_commits_are_durable_whatever_the_server_is_set_to(postgres_url: str) -> None:
    """`synchronous_commit` is on where it was off, and no session waits for ever."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {admin.info.dbname} SET synchronous_commit = off")
    store = PostgreSQLStores().open(postgres_url, KEY, reactor)
    store.start()
    assert await store.write(setting("synchronous_commit")) == "on"
    assert await store.write(setting("lock_timeout")) == "30s"
    assert await store.write(setting("idle_in_transaction_session_timeout")) == "1min"
    assert await store.read(setting("transaction_isolation")) == "repeatable read"
    assert await store.read(setting("transaction_read_only")) == "on"
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_what_is_set_elsewhere_stays(postgres_url: str) -> None:
    """Settings of the database, and options of the URL, win over ours where they are safe."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {admin.info.dbname} SET synchronous_commit = remote_apply")
    options = {"options": "-c lock_timeout=5s", "application_name": "office"}
    store = PostgreSQLStores().open(with_options(postgres_url, **options), KEY, reactor)
    store.start()
    assert await store.write(setting("synchronous_commit")) == "remote_apply"
    assert await store.write(setting("lock_timeout")) == "5s"
    assert await store.write(setting("application_name")) == "office"
    await store.stop()


def refusal(url: str) -> str:
    """Why a store does not start, in one line."""
    with pytest.raises(StoreError) as refused:
        PostgreSQLStores().open(url, KEY, reactor).start()
    message = str(refused.value)
    assert "\n" not in message
    assert "s3cret" not in message
    return message


def test_a_server_that_is_not_there_is_said() -> None:
    """A refused connection and an unknown host: a line that names them, without the password."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    message = refusal(f"postgresql://zk:s3cret@127.0.0.1:{port}/attendance")
    assert message.startswith("cannot open the PostgreSQL database attendance: ")
    assert str(port) in message
    assert "no-such-host" in refusal("postgresql://zk:s3cret@no-such-host.invalid/attendance")


def test_a_server_that_refuses_is_said(postgres_url: str) -> None:
    """A database, a user or an option that there is not: in the words of the server."""
    with psycopg.connect(postgres_url) as admin:
        name = admin.info.dbname
    assert "does not exist" in refusal(postgres_url.replace(name, "no_such_database"))
    assert "does not exist" in refusal(with_options(postgres_url, user="nobody"))
    assert "colour" in refusal(with_options(postgres_url, colour="s3cret", password="s3cret"))


@pytest.mark.long
def test_a_server_that_does_not_answer_is_given_up() -> None:
    """One that takes connections and says nothing does not hold up the start for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        url = f"postgresql://zk@127.0.0.1:{silent.getsockname()[1]}/attendance?connect_timeout=2"
        assert "timeout" in refusal(url)
        assert time.monotonic() - begun < 10


def test_a_database_that_cannot_hold_every_name_is_refused(postgres) -> None:
    """Text must be UTF-8."""
    postgres.run("CREATE DATABASE zkpush_ascii TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'")
    try:
        assert "ENCODING 'UTF8'" in refusal(postgres.url("zkpush_ascii"))
    finally:
        postgres.run("DROP DATABASE zkpush_ascii")


@pytest.mark.parametrize(
    ("server", "why"),
    [((120_022, "UTF8", False, "on"), "version 13"), ((180_004, "UTF8", True, "on"), "standby")],
)
def test_a_server_that_is_not_fit_is_refused(server, why: str) -> None:
    """An old version, or a standby, is not used."""
    with pytest.raises(StoreError, match=why):
        pgsessions.check_server(*server)


def test_without_the_driver_the_start_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite needs nothing more; who wants PostgreSQL is told what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'zkpush[postgresql]'" in refusal("postgresql://localhost/attendance")


def test_a_user_who_may_not_make_tables_is_told(postgres, empty_postgres_url: str) -> None:
    """The start says what the server says."""
    postgres.run("CREATE ROLE zkpush_limited LOGIN")
    try:
        message = refusal(with_options(empty_postgres_url, user="zkpush_limited"))
    finally:
        postgres.run("DROP ROLE zkpush_limited")
    assert message == "cannot prepare the database: permission denied for schema public"


def end_sessions(url: str) -> None:
    """End all other sessions of a database, as a server does that is stopped."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest_twisted.ensureDeferred
async def test_connections_that_ended_cost_nothing(store, postgres_url: str) -> None:
    """After a restart of the server, units and queries go on with new connections."""
    for turn in range(3):
        await store.write(add(f"T{turn}"))
        await gatherResults([Deferred.fromCoroutine(store.read(serial_numbers)) for _ in range(4)])
        end_sessions(postgres_url)
    await gatherResults([Deferred.fromCoroutine(store.read(serial_numbers)) for _ in range(8)])
    await gatherResults([store.write(add(f"U{turn}")) for turn in range(3)])
    end_sessions(postgres_url)
    await store.write(lambda tx: None)
    assert len(await store.read(serial_numbers)) == 6


@pytest_twisted.ensureDeferred
async def test_a_query_whose_connection_ends_is_asked_again(store, postgres_url: str) -> None:
    """Reading twice does no harm; if the second connection ends too, it is an error."""
    await store.write(add("T1"))
    ends = []

    def query(tx):
        found = serial_numbers(tx)
        if len(ends) < most:
            ends.append(found)
            end_sessions(postgres_url)
        return serial_numbers(tx)

    most = 1
    assert await store.read(query) == ["T1"]
    most = 9
    with pytest.raises(StoreError, match="did not answer"):
        await store.read(query)


@pytest_twisted.ensureDeferred
async def test_a_unit_whose_connection_ends_is_run_again(store, postgres_url: str) -> None:
    """Nothing of the first try is stored, so that the second one stores everything once."""
    runs = []

    def unit(tx):
        runs.append(1)
        tx[DeviceStore].add(f"T{len(runs)}", DeviceState.APPROVED, "UTC", 1)
        if len(runs) == 1:
            end_sessions(postgres_url)
        tx[DeviceStore].add("U", DeviceState.APPROVED, "UTC", 1)

    await store.write(unit)
    assert await store.read(serial_numbers) == ["T2", "U"]


@pytest_twisted.ensureDeferred
async def test_a_connection_that_ends_in_a_commit_leaves_it_open(store, postgres_url: str) -> None:
    """Nobody knows then whether it is stored: it is not acknowledged, nor tried again."""
    runs = []

    def unit(tx):
        runs.append(1)
        for statement in (
            "CREATE TABLE fuse (a int)",
            "CREATE FUNCTION blow() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
            "CREATE CONSTRAINT TRIGGER fuse AFTER INSERT ON fuse DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION blow()",
            "INSERT INTO fuse VALUES (1)",
        ):
            tx.connection.exec_driver_sql(statement)

    outcomes = await DeferredList([store.write(unit), store.write(add("T1"))], consumeErrors=True)
    assert [done for done, _ in outcomes] == [False, False]
    for _, failure in outcomes:
        assert "may be stored, or not" in str(failure.check(StoreError) and failure.value)
    assert runs == [1]
    await store.write(add("T2"))
    assert await store.read(serial_numbers) == ["T2"]


def end_session_at_commit(table: str):
    """A unit after which the first transaction that inserts into a table ends its session."""

    def unit(tx) -> None:
        for statement in (
            "CREATE SEQUENCE blown",
            "CREATE FUNCTION blow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
            "IF nextval(''blown'') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); "
            "END IF; RETURN NULL; END'",
            f"CREATE CONSTRAINT TRIGGER fuse AFTER INSERT ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION blow()",
        ):
            tx.connection.exec_driver_sql(statement)

    return unit


def upload(device, second: int):
    """A unit that stores what an upload brings: a record and a stamp."""

    def unit(tx) -> None:
        row = ("7", f"2026-01-05 08:00:{second:02}", 0, 1, *[None] * 12)
        tx[AttendanceInserts].add(device.id, [row], wall_clock("UTC"), 1)
        tx[StampStore].remember(device.id, "ATTLOG", str(second))

    return unit


@pytest_twisted.ensureDeferred
async def test_uploads_that_are_stored_together_are_one_question(store, monkeypatch) -> None:
    """One answer of the server is waited for: there is nothing else to say in a transaction."""
    device = await store.write(add("T1"))
    asked: list[str] = []
    plain = psycopg.Connection.execute

    def execute(self, query, *args, **named):
        asked.append(query)
        return plain(self, query, *args, **named)

    left: list[str] = []
    commit = psycopg.Connection.commit

    def see_what_is_left(self):
        left.append(self.info.transaction_status.name)
        return commit(self)

    monkeypatch.setattr(psycopg.Connection, "execute", execute)
    monkeypatch.setattr(psycopg.Connection, "commit", see_what_is_left)
    await gatherResults([store.write(upload(device, second)) for second in range(5)])
    (question,) = asked
    assert "INSERT INTO attendance" in question
    assert "INSERT INTO stamps" in question
    assert left == ["IDLE"]
    monkeypatch.undo()
    assert await store.read(lambda tx: tx[AttendanceStore].count(None)) == 5
    assert await store.read(lambda tx: tx[StampStore].of(device.id)) == {"ATTLOG": "4"}


@pytest_twisted.ensureDeferred
async def test_an_upload_whose_connection_ends_in_its_commit_is_stored_once(store) -> None:
    """Whether it was stored or not, to store it again leaves it there once."""
    device = await store.write(add("T1"))
    await store.write(end_session_at_commit("attendance"))
    await store.write(upload(device, 1))
    assert await store.read(lambda tx: tx[AttendanceStore].count(None)) == 1
    assert await store.read(lambda tx: tx[StampStore].of(device.id)) == {"ATTLOG": "1"}


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("table", ["events", "audit"])
async def test_what_would_be_told_twice_is_not_tried_again(store, table: str) -> None:
    """Of a connection that ends in such a commit nobody knows what it has told."""
    device = await store.write(add("T1"))
    await store.write(end_session_at_commit(table))
    runs = []

    def unit(tx) -> None:
        runs.append(1)
        upload(device, 1)(tx)
        if table == "events":
            tx[EventStore].add("command", {}, 1)
        else:
            tx[AuditStore].add("operator", "look", "T1", None, 1)

    with pytest.raises(StoreError, match="may be stored, or not"):
        await store.write(unit)
    assert runs == [1]
    assert await store.read(lambda tx: tx[AttendanceStore].count(None)) == 0


@pytest_twisted.ensureDeferred
async def test_a_server_that_goes_away_fails_all_who_wait(store, postgres, postgres_url) -> None:
    """It is not waited for once for each of them; when it is back, the next unit is stored."""
    name = postgres_url.partition("?")[0].rpartition("/")[2]
    runs = []

    def last_one(tx):
        runs.append(1)
        if len(runs) == 2:  # with savepoints, after the group failed
            end_sessions(postgres_url)
            postgres.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        tx[DeviceStore].changed_since(0)[0]

    def poison(tx):
        raise RuntimeError("poison")

    units = [add("T1"), last_one, poison, add("T2"), add("T3")]
    outcomes = await DeferredList([store.write(unit) for unit in units], consumeErrors=True)
    assert [done for done, _ in outcomes] == [False] * 5
    assert all("out of reach" in str(failure.value) for _, failure in outcomes)
    with pytest.raises(StoreError, match="did not answer"):
        await store.read(serial_numbers)
    postgres.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await store.write(add("T4"))
    assert await store.read(serial_numbers) == ["T4"]


@pytest_twisted.ensureDeferred
async def test_a_unit_that_overlooks_an_error_is_not_taken_for_stored(store) -> None:
    """The server would answer its COMMIT with a rollback, and say nothing: it fails alone."""

    def careless(tx):
        tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1)
        with pytest.raises(Exception, match="no_such_table"):
            tx.connection.exec_driver_sql("SELECT * FROM no_such_table")

    units = [add("T2"), careless, add("T3")]
    outcomes = await DeferredList([store.write(unit) for unit in units], consumeErrors=True)
    assert [done for done, _ in outcomes] == [True, False, True]
    assert "had refused" in str(outcomes[1][1].value)
    assert await store.read(serial_numbers) == ["T2", "T3"]


@pytest_twisted.ensureDeferred
async def test_a_row_with_nul_hurts_nobody_else(store) -> None:
    """No protocol lets NUL into a row; if one came all the same, its unit fails alone."""
    device = await store.write(add("T1"))

    def upload(pin):
        row = (pin, "2026-01-05 08:00:00", 0, 1, *[None] * 12)
        return store.write(
            lambda tx: tx[AttendanceInserts].add(device.id, [row], wall_clock("UTC"), 1)
        )

    outcomes = await DeferredList([upload("1"), upload("a\0b"), upload("3")], consumeErrors=True)
    assert [done for done, _ in outcomes] == [True, False, True]
    assert outcomes[1][1].check(StoreError)
    assert await store.read(lambda tx: tx[AttendanceStore].count(None)) == 2


@pytest_twisted.ensureDeferred
async def test_what_the_server_says_is_said_without_values(store) -> None:
    """Its details quote rows, which are nobody's business in a log."""

    def unit(tx):
        tx.connection.exec_driver_sql("INSERT INTO devices (sn, alias) VALUES ('T1', 's3cret')")

    with pytest.raises(StoreError, match="violates not-null constraint") as refused:
        await store.write(unit)
    assert "s3cret" not in str(refused.value)


@pytest_twisted.ensureDeferred
async def test_a_lock_that_is_held_too_long_is_not_waited_for(postgres_url: str) -> None:
    """Somebody's open transaction makes units fail, not hang; without it they go on."""
    store = PostgreSQLStores().open(
        with_options(postgres_url, options="-c lock_timeout=100ms"), KEY, reactor
    )
    store.start()
    with psycopg.connect(postgres_url) as admin:
        admin.execute("LOCK TABLE devices")
        with pytest.raises(StoreError, match="lock timeout"):
            await store.write(add("T1"))
    await store.write(add("T2"))
    assert await store.read(serial_numbers) == ["T2"]
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_a_query_sees_one_state(store, postgres_url: str) -> None:
    """What is committed while it runs does not show in its second half."""

    def query(tx):
        before = serial_numbers(tx)
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(
                "INSERT INTO devices (sn, state, timezone, session, created_at) "
                "VALUES ('T1', 'approved', 'UTC', 'new', 1)"
            )
        return before, serial_numbers(tx)

    assert await store.read(query) == ([], [])
    assert await store.read(serial_numbers) == ["T1"]


@pytest.mark.parametrize(("fsync", "warnings"), [("off", 1), ("on", 0)])
def test_a_server_without_fsync_is_warned_of(fsync: str, warnings: int) -> None:
    """It can lose what was acknowledged, and only its operator can help that."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    try:
        pgsessions.check_server(180_004, "UTF8", False, fsync)
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert len([event for event in events if "fsync" in event["log_format"]]) == warnings
