"""Several processes on one database: each has a store of its own."""

from __future__ import annotations

import threading

import pytest
import pytest_twisted
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred, gatherResults

from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.handlers.attendance.tables import ATTLOG
from zkpush.model import DeviceState, Page
from zkpush.persist.commands import CommandStore
from zkpush.persist.commandschedule import CommandSchedule
from zkpush.persist.devices import DeviceStore
from zkpush.persist.leases import LeaseStore
from zkpush.persist.migrate import migrate_thd
from zkpush.persist.store import Store
from zkpush.persist.transaction import Transaction
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.records import decode
from zkpush.protocol.times import wall_clock

from .conftest import open_database
from .contract import command

EVERYTHING = Page(1000)
UTC = wall_clock("UTC")


def upload(device_id: int, pin: int):
    """A unit that stores one record."""
    rows = decode(ATTLOG, b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin, Dialect()).rows
    return lambda tx: tx[AttendanceInserts].add(device_id, rows, UTC, 7)


def pins(tx) -> list[str]:
    """A query for the users of all records."""
    return [item.pin for item in tx[AttendanceStore].page(EVERYTHING)]


class Held:
    """A unit that stops, in the middle of its transaction, until it is let go."""

    def __init__(self, unit) -> None:
        self._unit = unit
        self._go_on = threading.Event()
        self.reached: Deferred[None] = Deferred()

    def __call__(self, tx):
        result = self._unit(tx)
        reactor.callFromThread(self.reached.callback, None)
        assert self._go_on.wait(20)
        return result

    def go_on(self) -> None:
        """Let it go."""
        self._go_on.set()


@pytest_twisted.async_yield_fixture
async def stores(empty_url: str):
    """Two stores on one database."""
    stores = [Store(lambda: open_database(empty_url), reactor) for _ in range(2)]
    for store in stores:
        store.start()
    yield stores
    for store in stores:
        await store.stop()


@pytest_twisted.async_yield_fixture
async def device(stores):
    """A terminal that both know."""
    yield await stores[0].write(
        lambda tx: tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1)
    )


@pytest_twisted.ensureDeferred
async def test_a_command_is_leased_by_one_process(stores, device) -> None:
    """Two processes that ask at once get each command once between them."""

    def fill(tx):
        for number in range(40):
            tx[CommandStore].add(device.id, command(f"c{number}", "LOG"), 1)

    def lease(tx):
        due = tx[CommandSchedule].due(device.id, 10, 5)
        tx[CommandStore].lease(due, 100, 10)
        return [command.id for command in due]

    await stores[0].write(fill)
    batches = await gatherResults([stores[turn % 2].write(lease) for turn in range(10)])
    ids = [command_id for batch in batches for command_id in batch]
    assert len(ids) == len(set(ids)) == 40


@pytest_twisted.ensureDeferred
async def test_changes_of_two_processes_are_merged(stores, device) -> None:
    """What both add to one terminal is there in the end."""
    await gatherResults(
        [
            stores[number % 2].write(
                lambda tx, number=number: tx[DeviceStore].merge_options(
                    device.id, {f"O{number}": "1"}
                )
            )
            for number in range(40)
        ]
    )
    found = await stores[0].read(lambda tx: tx[DeviceStore].get(device.id))
    assert set(found.options) == {f"O{number}" for number in range(40)}


@pytest_twisted.ensureDeferred
async def test_the_same_records_by_two_processes_are_stored_once(stores, device) -> None:
    """A terminal that sends again, to another process, doubles nothing."""
    await gatherResults(
        [store.write(upload(device.id, pin)) for pin in range(30) for store in stores]
    )
    assert sorted(map(int, await stores[0].read(pins))) == [*range(30)]


@pytest_twisted.ensureDeferred
async def test_a_lease_is_held_by_one_process(stores) -> None:
    """Of two that ask at once, one gets it, until it runs out."""

    def hold(number, now):
        return stores[number].write(
            lambda tx: tx[LeaseStore].hold("zones", f"node {number}", now + 100, now)
        )

    assert sorted(await gatherResults([hold(0, 0), hold(1, 0)])) == [False, True]
    assert sorted(await gatherResults([hold(0, 100), hold(1, 100)])) == [False, True]


class TestPostgreSQL:
    """Transactions that overlap, which SQLite has none of."""

    @pytest.fixture
    def empty_url(self, empty_postgres_url: str) -> str:
        """A database without tables."""
        return empty_postgres_url

    @pytest_twisted.ensureDeferred
    async def test_commands_in_the_hands_of_another_process_are_passed_by(
        self, stores, device
    ) -> None:
        """Who asks while another process has not committed gets the others, at once."""

        def lease(tx):
            due = tx[CommandSchedule].due(device.id, 10, 1)
            tx[CommandStore].lease(due, 100, 10)
            return [command.id for command in due]

        for name in ("a", "b"):
            await stores[0].write(
                lambda tx, name=name: tx[CommandStore].add(device.id, command(name, "LOG"), 1)
            )
        held = Held(lease)
        first = stores[0].write(held)
        await held.reached
        assert await stores[1].write(lease) == ["b"]
        assert await stores[1].write(lease) == []
        held.go_on()
        assert await first == ["a"]

    @pytest_twisted.ensureDeferred
    async def test_a_change_that_takes_long_is_told(self, stores, device) -> None:
        """It is in the feed even if later ones were committed and told before it."""
        other = await stores[0].write(
            lambda tx: tx[DeviceStore].add("T2", DeviceState.APPROVED, "UTC", 1)
        )
        _, cursor = await stores[0].read(lambda tx: tx[DeviceStore].changed_since(0))
        held = Held(lambda tx: tx[DeviceStore].change(device.id, {"alias": "slow"}))
        slow = stores[0].write(held)
        await held.reached
        await stores[1].write(lambda tx: tx[DeviceStore].change(other.id, {"alias": "fast"}))
        found, cursor = await stores[1].read(lambda tx: tx[DeviceStore].changed_since(cursor))
        assert [one.alias for one in found] == ["fast"]
        held.go_on()
        await slow
        found, cursor = await stores[1].read(lambda tx: tx[DeviceStore].changed_since(cursor))
        assert "slow" in [one.alias for one in found]
        found, _ = await stores[1].read(lambda tx: tx[DeviceStore].changed_since(cursor))
        assert found == []

    @pytest_twisted.ensureDeferred
    async def test_nobody_sees_an_id_before_all_lower_ones(self, stores, device) -> None:
        """Who reads on from the last id it saw misses no record of a slow commit."""

        def first(tx):
            upload(device.id, 1)(tx)
            return tx[AttendanceStore].count(None)

        held = Held(first)
        slow = stores[0].write(held)
        await held.reached
        fast = stores[1].write(upload(device.id, 2))
        await task.deferLater(reactor, 0.2)
        assert await stores[1].read(pins) == []
        assert not fast.called
        held.go_on()
        await gatherResults([slow, fast])
        assert await stores[1].read(pins) == ["1", "2"]

    @pytest_twisted.ensureDeferred
    async def test_processes_that_wait_for_each_other_both_succeed(self, stores, device) -> None:
        """The server breaks a deadlock, and the unit that it chose is run again."""
        other = await stores[0].write(
            lambda tx: tx[DeviceStore].add("T2", DeviceState.APPROVED, "UTC", 1)
        )
        meeting = threading.Barrier(2, timeout=20)

        def crossing(first, second, name):
            tries = []

            def unit(tx):
                tx[DeviceStore].merge_options(first, {name: "1"})
                if not tries:
                    tries.append(1)
                    meeting.wait()
                tx[DeviceStore].merge_options(second, {name: "1"})

            return unit

        await gatherResults(
            [
                stores[0].write(crossing(device.id, other.id, "one")),
                stores[1].write(crossing(other.id, device.id, "other")),
            ]
        )
        found = await stores[0].read(lambda tx: tx[DeviceStore].changed_since(0)[0])
        assert [set(one.options) for one in found] == [{"one", "other"}] * 2


def test_the_query_of_every_second_uses_its_index(empty_url: str) -> None:
    """Which terminals have work is found without a look at the commands that have ended."""

    database = open_database(empty_url)
    migrate_thd(database)
    statements = []
    with database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        tx = Transaction(database, None, connection, lambda: 0, writes=False)
        original = connection.execute

        def spy(statement, *arguments):
            compiled = statement.compile(
                dialect=connection.dialect, compile_kwargs={"literal_binds": True}
            )
            statements.append(str(compiled))
            return original(statement, *arguments)

        connection.execute = spy
        tx[CommandSchedule].all_due()
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        plan = str(connection.exec_driver_sql(f"{explain} {statements[0]}").all())
    database.close()
    # The first two have no others in them, and the third is searched by state.
    of_open_commands = ("commands_open", "commands_subject", "commands_state (state=?)")
    assert any(index in plan for index in of_open_commands), plan
