"""How the reactor and the writer's thread share the work."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from zope.interface import directlyProvides, providedBy

from zkpush.persist.sqlite import SQLiteStores
from zkpush.persist.writer import (
    ENOUGH,
    MANY,
    MOST_PAUSES,
    MOST_TURNS,
    MOST_UNITS,
    PAUSE_SECONDS,
)

from ..keys import KEY

LONG = 20.0
"""Seconds that no group takes."""
UNITS = 20


class CountingReactor:
    """The reactor, which counts how often a thread has woken it, and can hold pauses."""

    def __init__(self) -> None:
        directlyProvides(self, providedBy(reactor))
        self.woken = 0
        self.holds = False
        self.paused: list[tuple[Callable[..., object], tuple[object, ...]]] = []
        """Calls that wait for the end of a pause."""

    def __getattr__(self, name: str):
        return getattr(reactor, name)

    def callFromThread(self, *call: object) -> None:
        """Count, and do it."""
        self.woken += 1
        reactor.callFromThread(*call)

    def callLater(self, delay: float, call: Callable[..., object], *arguments: object) -> object:
        """Make a call later, or hold it until `end_pause`."""
        if not self.holds or delay != PAUSE_SECONDS:
            return reactor.callLater(delay, call, *arguments)
        self.paused.append((call, arguments))
        return None

    def end_pause(self) -> None:
        """Make the calls that wait."""
        paused, self.paused = self.paused, []
        for call, arguments in paused:
            call(*arguments)

    async def turn(self) -> None:
        """Run until units are handed over, unless they wait for a pause."""
        for _ in range(2 * MOST_TURNS):
            await deferLater(reactor, 0)


@pytest.fixture
def counting() -> CountingReactor:
    """What counts."""
    return CountingReactor()


@pytest_twisted.async_yield_fixture
async def store(counting: CountingReactor):
    """A store that is woken by that reactor."""
    store = SQLiteStores().open("memory:", KEY, counting)
    store.start()
    yield store
    await store.stop()


async def held_up(store) -> tuple[Deferred, threading.Event]:
    """A unit that is being stored, and ends when the event is set."""
    is_storing, go_on = threading.Event(), threading.Event()

    def slow(tx: object) -> bool:
        is_storing.set()
        return go_on.wait(LONG)

    unit = store.write(slow)
    while not is_storing.is_set():
        await deferLater(reactor, 0)
    return unit, go_on


@pytest_twisted.ensureDeferred
async def test_the_reactor_goes_on_while_a_group_is_stored(store) -> None:
    """A unit of work ends only because the reactor runs meanwhile."""
    went_on = threading.Event()
    reactor.callLater(0.01, went_on.set)
    assert await store.write(lambda tx: went_on.wait(LONG)) is True


@pytest_twisted.ensureDeferred
async def test_units_of_one_turn_share_a_commit_and_wake_the_reactor_once(store, counting) -> None:
    """However many units there are, the disk and the reactor are asked once."""
    commits = store.writer.commits
    assert await gatherResults(store.write(lambda tx, n=n: n) for n in range(50)) == [*range(50)]
    assert store.writer.commits == commits + 1
    assert counting.woken == 1


@pytest_twisted.ensureDeferred
async def test_units_of_the_following_turns_share_the_commit(store) -> None:
    """A group is handed over after a turn that brought no more units."""
    commits = store.writer.commits
    later: list[Deferred[None]] = []
    first = store.write(lambda tx: None)
    reactor.callLater(0, lambda: later.append(store.write(lambda tx: None)))
    await first
    await gatherResults(later)
    assert len(later) == 1
    assert store.writer.commits == commits + 1


@pytest_twisted.ensureDeferred
async def test_units_that_come_while_a_group_is_stored_are_the_next_group(store) -> None:
    """A slow disk makes the groups larger, not more."""
    commits = store.writer.commits
    unit, go_on = await held_up(store)
    units = [unit]
    for _ in range(UNITS):
        units.append(store.write(lambda tx: None))
        await deferLater(reactor, 0)
    go_on.set()
    await gatherResults(units)
    assert len(units) == UNITS + 1
    assert store.writer.commits == commits + 2


@pytest_twisted.ensureDeferred
async def test_results_come_in_the_order_of_the_units(store) -> None:
    """The order in which units were handed in is that of their results."""
    order: list[int] = []
    waiting = []
    for number in range(3 * UNITS):
        waiting.append(store.write(lambda tx, number=number: number).addCallback(order.append))
        if number % 7 == 0:
            await store.write(lambda tx: None)
    await gatherResults(waiting)
    assert order == [*range(3 * UNITS)]


async def answered_together(store, counting: CountingReactor, number: int = UNITS) -> None:
    """So many units are stored and answered at once; later pauses are held."""
    counting.holds = True
    await gatherResults(store.write(lambda tx: None) for _ in range(number))


@pytest_twisted.ensureDeferred
async def test_a_large_group_is_stored_while_the_one_before_it_is_answered(store) -> None:
    """Its first unit runs before the callbacks of the group before it have returned."""
    has_run = threading.Event()
    unit, go_on = await held_up(store)
    unit.addCallback(lambda _: has_run.wait(LONG))
    units = [store.write(lambda tx: has_run.set()) for _ in range(ENOUGH)]
    go_on.set()
    assert await unit
    await gatherResults(units)


@pytest_twisted.ensureDeferred
async def test_a_group_has_a_limited_number_of_units(store) -> None:
    """What comes while a slow group is stored is stored in several, so that none waits for all."""
    commits = store.writer.commits
    unit, go_on = await held_up(store)
    units = [unit]
    units += [store.write(lambda tx: True) for _ in range(2 * MOST_UNITS)]
    go_on.set()
    assert all(await gatherResults(units))
    assert store.writer.commits >= commits + 3


@pytest_twisted.ensureDeferred
async def test_a_group_waits_for_most_units_of_busy_terminals(store, counting) -> None:
    """Terminals that were answered together share the next commit, too."""
    await answered_together(store, counting)
    commits = store.writer.commits
    units = [store.write(lambda tx: None)]
    for more in (UNITS * 3 // 4 - 2, 1):
        await counting.turn()
        assert len(counting.paused) == 1
        units += [store.write(lambda tx: None) for _ in range(more)]
        counting.end_pause()
    await counting.turn()
    assert counting.paused == []
    await gatherResults(units)
    assert store.writer.commits == commits + 1


@pytest_twisted.ensureDeferred
async def test_a_group_waits_no_longer_than_units_come(store, counting) -> None:
    """A terminal is answered although the others have nothing more to send."""
    await answered_together(store, counting)
    for pauses in (1, 0):  # the second unit has no busy terminals before it
        unit = store.write(lambda tx: "stored")
        await counting.turn()
        assert len(counting.paused) == pauses
        counting.end_pause()
        await counting.turn()
        assert counting.paused == []
        assert await unit == "stored"


@pytest_twisted.ensureDeferred
async def test_a_group_waits_for_a_few_pauses_at_most(store, counting) -> None:
    """Units that come one by one delay the first of them for milliseconds."""
    await answered_together(store, counting)
    commits = store.writer.commits
    units = [store.write(lambda tx: None)]
    for _ in range(MOST_PAUSES):
        await counting.turn()
        assert len(counting.paused) == 1
        units.append(store.write(lambda tx: None))
        counting.end_pause()
    await counting.turn()
    assert counting.paused == []
    await gatherResults(units)
    assert store.writer.commits == commits + 1


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(("before", "after"), [(MANY - 1, 1), (10 * ENOUGH, ENOUGH)])
async def test_no_unit_waits_for_few_others_or_in_a_large_group(
    store, counting, before: int, after: int
) -> None:
    """Few terminals are not delayed, and so many share a commit without waiting."""
    await answered_together(store, counting, before)
    units = [store.write(lambda tx: None) for _ in range(after)]
    await counting.turn()
    assert counting.paused == []
    await gatherResults(units)


@pytest_twisted.ensureDeferred
async def test_a_store_that_stops_does_not_wait_for_others(store, counting) -> None:
    """A pause in progress does not hold up the units that wait in it."""
    await answered_together(store, counting)
    unit = store.write(lambda tx: "stored")
    await counting.turn()
    assert len(counting.paused) == 1
    await store.stop()
    assert await unit == "stored"
    counting.end_pause()
    assert counting.paused == []
