"""How the reactor and the writer's thread take turns."""

from __future__ import annotations

import threading

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from zope.interface import directlyProvides, providedBy

from zkpush.persist import writer
from zkpush.persist.sqlite import SQLiteStores

from ..keys import KEY

LONG = 60.0
"""Seconds that no group takes."""
SHORT = 0.01


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
    store = SQLiteStores().open("sqlite://", KEY, counting)
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


@pytest_twisted.ensureDeferred
async def test_the_reactor_goes_on_while_something_takes_long(store, counting, monkeypatch) -> None:
    """The reactor is held up for a moment only, and hears of the end when it comes."""
    await write_slowly(store, monkeypatch)
    assert counting.woken == 1


@pytest_twisted.ensureDeferred
async def test_a_slow_disk_is_not_waited_for_again_and_again(store, counting, monkeypatch) -> None:
    """After a group that took long, the reactor stands still for none of the next ones."""
    await write_slowly(store, monkeypatch)
    counting.woken = 0
    for number in range(writer.IMPATIENT_GROUPS):
        assert await store.write(lambda tx, number=number: number) == number
    assert counting.woken == writer.IMPATIENT_GROUPS
    assert await store.write(lambda tx: "again") == "again"
    assert counting.woken == writer.IMPATIENT_GROUPS


@pytest_twisted.ensureDeferred
async def test_what_was_not_waited_for_is_delivered_with_what_is(
    store, counting, monkeypatch
) -> None:
    """Results come in the order in which the units were handed in, whoever brings them."""
    await write_slowly(store, monkeypatch)
    order: list[int] = []
    waiting = [
        store.write(lambda tx, n=n: n).addCallback(order.append)
        for n in range(3 * writer.IMPATIENT_GROUPS)
    ]
    for number in range(3 * writer.IMPATIENT_GROUPS, 6 * writer.IMPATIENT_GROUPS):
        waiting.append(store.write(lambda tx, number=number: number).addCallback(order.append))
        await store.write(lambda tx: None)
    await gatherResults(waiting)
    assert order == [*range(6 * writer.IMPATIENT_GROUPS)]
