"""Two nodes on one database that both distribute people, as while one takes over from the other."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TypeVar

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from zkpush.handlers.areas import packing
from zkpush.persist.transaction import Transaction
from zkpush.simulator.terminal import SimulatedTerminal

from ..server.test_distribution import distribute, enrol, fingers, held, joined, person, reconciler
from .conftest import Nodes, a_second

T = TypeVar("T")


async def both_look(nodes: Nodes) -> None:
    """Let both reconcilers look at the same time, after a burst of changes."""
    for _ in range(3):
        await a_second(nodes)
    await gatherResults([Deferred.fromCoroutine(reconciler(node).work()) for node in nodes])


async def settle(nodes: Nodes, *terminals: SimulatedTerminal) -> None:
    """Let terminals poll and both nodes look until nothing is left to do."""
    for _ in range(20):
        await both_look(nodes)
        if not any([await terminal.poll() for terminal in terminals]):
            return
    raise AssertionError("commands without end")


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_two_nodes_that_both_distribute_send_nothing_twice(nodes: Nodes) -> None:
    """People are added, enrolled, changed and moved meanwhile; nobody is deleted by mistake."""
    one, other = nodes
    first, second = await joined(one, "A1"), await joined(other, "A2")
    await a_second(nodes)
    await distribute(one)
    for number in range(12):
        await person(nodes[number % 2], str(number + 1), name=f"P{number}")
        if number % 3 == 0:
            await both_look(nodes)
    await enrol(first, "20", "Ann")
    await enrol(second, "21", "Bob")
    await settle(nodes, first, second)
    everybody = {**{str(n + 1): f"P{n}" for n in range(12)}, "20": "Ann", "21": "Bob"}
    for terminal in (first, second):
        assert held(terminal) == everybody
        assert fingers(terminal) == {("20", 1), ("21", 1)}
        sent = terminal.executed
        assert len(sent) == len(set(sent)) == 12 + 2
    await person(one, "1", name="Eve")
    await person(other, "2", areas=["South"])
    await settle(nodes, first, second)
    for terminal in (first, second):
        assert held(terminal) == {**{k: v for k, v in everybody.items() if k != "2"}, "1": "Eve"}
        new = terminal.executed[14:]
        assert len(new) == 2
        assert [b"DELETE" in line for line in sorted(new)] == [True, False]


@pytest.mark.long
@pytest.mark.parametrize("least", [200, 2], ids=["commands", "packages"])
@pytest_twisted.ensureDeferred
async def test_a_node_that_was_suspended_in_its_turn_changes_nothing(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    """Whatever it had read when the other one took over; its next turn begins anew."""
    monkeypatch.setattr(packing, "LEAST_PEOPLE", least)
    one, other = nodes
    first = await joined(one, "A1")
    await a_second(nodes)
    await distribute(one)
    read, reads, suspended_at = one.store.read, itertools.count(), 0

    async def read_and_wait(query: Callable[[Transaction], T]) -> T:
        found = await read(query)
        if next(reads) == suspended_at:
            await reconciler(other).work()
        return found

    monkeypatch.setattr(one.store, "read", read_and_wait)
    names = {}
    for suspended_at in range(16):
        for pin in (f"{suspended_at + 1}", f"{suspended_at + 101}"):
            names[pin] = f"P{pin}"
            await person(other, pin, name=names[pin])
        for _ in range(3):
            await a_second(nodes)
        reads = itertools.count()
        await reconciler(one).work()
        await first.poll()
    monkeypatch.undo()
    monkeypatch.setattr(packing, "LEAST_PEOPLE", least)
    await settle(nodes, first)
    assert held(first) == names
    sent = [line for line in first.executed if b"USERINFO" in line]
    assert len(sent) == len(set(sent))
    assert not any(b"DELETE" in line for line in sent)
    assert (len(sent) == len(names)) == (least > 2)
