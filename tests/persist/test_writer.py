"""How the reactor and the writer's thread take turns."""

from __future__ import annotations

import queue
import threading

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from zope.interface import directlyProvides, providedBy

from zkpush.persist import writer
from zkpush.persist.sqlite import SQLiteStores

from ..keys import KEY

LONG = 20.0
"""Seconds that no group takes."""
SHORT = 0.01
MANY = 20


class CountingReactor:
    """The reactor, which counts how often a thread has woken it."""

    def __init__(self) -> None:
        directlyProvides(self, providedBy(reactor))
        self.woken = 0

    def __getattr__(self, name: str):
        return getattr(reactor, name)

    def callFromThread(self, *call: object) -> None:
        """Count, and do it."""
        self.woken += 1
        reactor.callFromThread(*call)


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


async def write_slowly(store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit of work that ends only because the reactor goes on meanwhile."""
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", SHORT)
    reactor_went_on = threading.Event()
    reactor.callLater(5 * SHORT, reactor_went_on.set)
    assert await store.write(lambda tx: reactor_went_on.wait(LONG)) is True
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", LONG)


@pytest_twisted.ensureDeferred
async def test_what_is_stored_quickly_wakes_nobody(store, counting, monkeypatch) -> None:
    """The reactor stands still for a group, and has the results without being woken."""
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", LONG)
    for number in range(5):
        assert await store.write(lambda tx, number=number: number) == number
    assert await gatherResults(store.write(lambda tx, n=n: n) for n in range(50)) == [*range(50)]
    assert counting.woken == 0


class Late(queue.SimpleQueue):
    """What was stored; whoever waits for that gives up a moment too early."""

    def __init__(self) -> None:
        self.said_nothing = threading.Event()

    def get(self, block: bool = True, timeout: float | None = None):
        """Give up once the writer's thread has seen that it is waited for, and tells nobody."""
        assert self.said_nothing.wait(LONG)
        raise queue.Empty


class Waiting(queue.SimpleQueue):
    """What is to be stored; hears when the writer's thread comes back for more."""

    def __init__(self, late: Late) -> None:
        self.late = late

    def get(self, block: bool = True, timeout: float | None = None):
        """The next group."""
        if not self.late.empty():
            self.late.said_nothing.set()
        return super().get(block, timeout)


@pytest_twisted.ensureDeferred
async def test_what_is_stored_as_the_wait_for_it_ends_is_delivered(store, counting) -> None:
    """The thread wakes nobody, as somebody waits; who waits looks once more after that."""
    late = Late()
    before, store.writer._waiting = store.writer._waiting, Waiting(late)
    store.writer._finished = late
    before.put([])
    assert await store.write(lambda tx: "stored") == "stored"
    assert counting.woken == 0


@pytest_twisted.ensureDeferred
async def test_the_reactor_goes_on_while_something_takes_long(store, counting, monkeypatch) -> None:
    """The reactor is held up for a moment only, and hears of the end when it comes."""
    await write_slowly(store, monkeypatch)
    assert counting.woken == 1


async def count_unheeded(store, counting: CountingReactor, count: int) -> int:
    """How many of so many groups woke the reactor, which did not stand still for them."""
    counting.woken = 0
    for number in range(count):
        assert await store.write(lambda tx, number=number: number) == number
    return counting.woken


@pytest_twisted.ensureDeferred
async def test_a_slow_disk_is_not_waited_for_again_and_again(store, counting, monkeypatch) -> None:
    """After each group that took long, the reactor stands still for none of twice as many."""
    monkeypatch.setattr(writer, "MOST_IMPATIENT", 4)
    for unheeded in (1, 2, 4):
        await write_slowly(store, monkeypatch)
        assert await count_unheeded(store, counting, unheeded) == unheeded
    await write_slowly(store, monkeypatch)
    assert await count_unheeded(store, counting, 6) == 4


@pytest_twisted.ensureDeferred
async def test_a_disk_that_was_slow_once_is_waited_for(store, counting, monkeypatch) -> None:
    """One group that takes long, among many that do not, costs the next one only."""
    for _ in range(3):
        await write_slowly(store, monkeypatch)
        assert await count_unheeded(store, counting, 5) == 1


@pytest_twisted.ensureDeferred
async def test_what_was_not_waited_for_is_delivered_with_what_is(
    store, counting, monkeypatch
) -> None:
    """Results come in the order in which the units were handed in, whoever brings them."""
    for unheeded in (1, 2, 4, 8, 16):
        await write_slowly(store, monkeypatch)
        await count_unheeded(store, counting, unheeded)
    await write_slowly(store, monkeypatch)
    order: list[int] = []
    waiting = [store.write(lambda tx, n=n: n).addCallback(order.append) for n in range(3 * MANY)]
    for number in range(3 * MANY, 6 * MANY):
        waiting.append(store.write(lambda tx, number=number: number).addCallback(order.append))
        await store.write(lambda tx: None)
    await gatherResults(waiting)
    assert order == [*range(6 * MANY)]


async def write_many(store, count: int) -> None:
    """A group of units."""
    commits = store.writer.commits
    await gatherResults(store.write(lambda tx: None) for _ in range(count))
    assert store.writer.commits == commits + 1


@pytest_twisted.ensureDeferred
async def test_few_after_many_wait_a_moment_for_the_others(store, monkeypatch) -> None:
    """Those that come meanwhile share the commit."""
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", LONG)
    monkeypatch.setattr(writer, "PAUSE_SECONDS", 5 * SHORT)
    await write_many(store, 10)
    commits = store.writer.commits
    others: list[Deferred[None]] = []
    reactor.callLater(SHORT, lambda: others.extend(store.write(lambda tx: None) for _ in range(4)))
    await store.write(lambda tx: None)
    await gatherResults(others)
    assert len(others) == 4
    assert store.writer.commits == commits + 1


@pytest_twisted.ensureDeferred
async def test_nobody_is_waited_for_again_and_again(store, monkeypatch) -> None:
    """A unit that stays alone is stored after a few moments, and the next one at once."""
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", LONG)
    monkeypatch.setattr(writer, "PAUSE_SECONDS", SHORT)
    await write_many(store, 10)
    await store.write(lambda tx: None)
    monkeypatch.setattr(writer, "PAUSE_SECONDS", LONG)
    begun = reactor.seconds()
    await store.write(lambda tx: None)
    await write_many(store, 2)
    await store.write(lambda tx: None)
    assert reactor.seconds() - begun < LONG


@pytest_twisted.ensureDeferred
async def test_on_a_slow_disk_nobody_is_waited_for(store, counting, monkeypatch) -> None:
    """While one group is stored there, the next one grows by itself."""
    await write_slowly(store, monkeypatch)
    assert await count_unheeded(store, counting, 1) == 1
    await write_slowly(store, monkeypatch)
    await write_many(store, 10)
    monkeypatch.setattr(writer, "PAUSE_SECONDS", LONG)
    begun = reactor.seconds()
    await store.write(lambda tx: None)
    assert reactor.seconds() - begun < LONG
