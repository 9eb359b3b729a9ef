"""Handlers that bring tables of their own: on every database."""

from __future__ import annotations

import contextlib
import threading

import pytest
import pytest_twisted
from twisted.internet import reactor, threads
from twisted.internet.defer import gatherResults
from twisted.logger import LogEvent, globalLogPublisher
from zope.interface import implementer
from zope.interface.verify import verifyObject

from zkpush.interfaces import IBringsTables, StoreError
from zkpush.model import DeviceState
from zkpush.persist.devices import DeviceStore
from zkpush.persist.stamps import StampStore
from zkpush.persist.store import Store

from .conftest import open_database
from .contract import in_file, in_memory, on_postgresql


@implementer(IBringsTables)
class Brings:
    """A handler whose table is made by some statements, or some code."""

    def __init__(self, *todo) -> None:
        self._todo = todo

    def prepare(self, tx) -> None:
        for each in self._todo:
            if callable(each):
                each(tx)
            else:
                tx.connection.exec_driver_sql(each)


def values(table: str):
    """A query for the values in a table."""
    query = f"SELECT a FROM {table} ORDER BY a"  # noqa: S608
    return lambda tx: [*tx.connection.exec_driver_sql(query).scalars()]


def poison(tx) -> None:
    """What goes wrong in a handler."""
    raise KeyError("poison")


@pytest.fixture
def failures():
    """What is reported of plugins."""
    events: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if "plugin" in event:
            events.append(event)

    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


def make_brings_tests(factory):
    """The tests of handlers with tables; `factory` makes an empty store."""

    class BringsTests:
        @pytest_twisted.async_yield_fixture
        async def store(self, request):
            store = factory(request)
            yield store
            await store.stop()

        def test_a_handler_with_tables_provides_its_interface(self) -> None:
            """What these tests bring is what a plugin would."""
            verifyObject(IBringsTables, Brings())

        @pytest_twisted.ensureDeferred
        async def test_tables_are_there_when_the_store_is_open(self, store, failures) -> None:
            """Made in the order of the handlers, with what they put in, for any unit to use."""
            store.start(
                [
                    Brings("CREATE TABLE own (a INTEGER)", "INSERT INTO own VALUES (1)"),
                    Brings("INSERT INTO own SELECT a + 1 FROM own"),
                ]
            )
            add = "INSERT INTO own VALUES (3)"
            await store.write(lambda tx: tx.connection.exec_driver_sql(add).rowcount)
            assert await store.read(values("own")) == [1, 2, 3]
            assert failures == []

        @pytest_twisted.ensureDeferred
        async def test_a_handler_finds_the_tables_of_the_store(self, store, failures) -> None:
            """They are migrated before; what it keeps in them is stored as all else is."""

            def unit(tx):
                device = tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1)
                tx[StampStore].remember(device.id, "ATTLOG", "9")

            store.start([Brings(unit)])
            device = await store.read(lambda tx: tx[DeviceStore].find("T1"))
            assert await store.read(lambda tx: tx[StampStore].of(device.id)) == {"ATTLOG": "9"}
            assert failures == []

        @pytest_twisted.ensureDeferred
        async def test_a_handler_that_fails_is_reported_and_the_rest_go_on(
            self, store, failures
        ) -> None:
            """Nothing is left of what it had begun, and nobody else knows."""
            bad = Brings("CREATE TABLE bad (a INTEGER)", poison)
            wrong = Brings("CREATE TABLE worse (a INTEGER)", "INSERT INTO nowhere VALUES (1)")
            store.start(
                [
                    Brings("CREATE TABLE first (a INTEGER)"),
                    bad,
                    wrong,
                    Brings("CREATE TABLE last (a INTEGER)"),
                ]
            )
            assert store.unprepared == [bad, wrong]
            errors = [event["error"] for event in failures]
            assert [error.startswith("KeyError") for error in errors] == [True, False]
            for table in ("first", "last"):
                assert await store.read(values(table)) == []
            for table in ("bad", "worse"):
                with pytest.raises(StoreError):
                    await store.write(values(table))
            await store.write(lambda tx: tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1))

    return BringsTests


class TestSQLiteInMemory(make_brings_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_brings_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_brings_tests(on_postgresql)):
    """PostgreSQL."""

    @pytest_twisted.ensureDeferred
    async def test_a_handler_that_overlooks_an_error_is_reported(self, store, failures) -> None:
        """The server would answer its COMMIT with a rollback, and say nothing."""

        def careless(tx):
            with pytest.raises(Exception, match="no_such_table"):
                tx.connection.exec_driver_sql("SELECT * FROM no_such_table")

        handler = Brings("CREATE TABLE own (a INTEGER)", careless)
        store.start([handler])
        assert store.unprepared == [handler]
        assert [event["plugin"] for event in failures] == ["record handler Brings"]


@pytest_twisted.ensureDeferred
async def test_tables_are_prepared_at_every_start(empty_url: str, failures) -> None:
    """A handler finds what it made the last time, and brings it up to date."""
    handler = Brings(
        "CREATE TABLE IF NOT EXISTS own (a INTEGER)",
        "INSERT INTO own SELECT count(*) FROM own",
    )
    for turn in range(3):
        store = Store(lambda: open_database(empty_url), reactor)
        store.start([handler])
        assert await store.read(values("own")) == [*range(turn + 1)]
        await store.stop()
    assert failures == []


@pytest_twisted.ensureDeferred
async def test_processes_that_start_at_once_prepare_one_at_a_time(empty_url: str, failures) -> None:
    """Each finds what the one before has done; none is in the middle of another's work."""
    meeting = threading.Barrier(2)
    met = []

    def count(tx):
        found = tx.connection.exec_driver_sql("SELECT max(a) FROM own").scalar()
        # If another process can be here too, it has the time to come.
        with contextlib.suppress(threading.BrokenBarrierError):
            met.append(meeting.wait(0.3))
        tx.connection.exec_driver_sql(f"INSERT INTO own VALUES ({found + 1})")  # noqa: S608

    stores = [Store(lambda: open_database(empty_url), reactor) for _ in range(3)]
    begin = Brings("CREATE TABLE own (a INTEGER)", "INSERT INTO own VALUES (0)")
    stores[0].start([begin])
    await gatherResults(
        [threads.deferToThread(store.start, [Brings(count)]) for store in stores[1:]]
    )
    assert await stores[0].read(values("own")) == [0, 1, 2]
    assert met == []
    assert failures == []
    for store in stores:
        await store.stop()
