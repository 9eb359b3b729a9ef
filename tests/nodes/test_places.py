"""A serial number in two places is found also where each place reaches another node."""

from __future__ import annotations

import pytest_twisted

from zkpush.model import Page
from zkpush.persist.events import EventStore
from zkpush.problems import ProblemCode

from ..rig import Rig
from .conftest import Nodes, a_second
from .test_two_nodes import POLL

HERE, THERE = "10.1.2.3", "203.0.113.9"


async def a_while(nodes: Nodes) -> None:
    """Let five seconds pass: what was seen is written, and what comes of it."""
    for _ in range(5):
        for node in nodes:
            node.clock.advance(1)
            await node.store.write(lambda tx: None)
    await a_second(nodes)


async def problems(node: Rig) -> list[str]:
    """The codes of T1's problems, as a node shows them."""
    (device,) = await node.items("/devices")
    return [problem["code"] for problem in device["problems"]]


async def said(node: Rig) -> list[dict[str, object]]:
    """What the store tells of problems."""
    events = await node.store.read(lambda tx: tx[EventStore].page(Page(1000)))
    return [event.data for event in events if event.kind == "problem"]


@pytest_twisted.ensureDeferred
async def test_here_on_one_node_and_there_on_the_other(nodes: Nodes) -> None:
    """Neither node sees the terminal move; between them they find that it is in two places."""
    one, other = nodes
    await one.exchange()
    for _ in range(3):
        assert (await one.get(POLL, address=HERE)).body == b"OK"
        await a_while(nodes)
        assert (await other.get(POLL, address=THERE)).body == b"OK"
        await a_while(nodes)
    for node in nodes:
        assert await problems(node) == [ProblemCode.TWO_PLACES]
        raised = [line for line in await said(node) if line["what"] == "raised"]
        assert len(raised) == 1


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_moves_is_no_problem_on_many_nodes(nodes: Nodes) -> None:
    """Its requests meet the nodes by turns, before and after it has another address."""
    await nodes[0].exchange()
    for address in (HERE, THERE, "10.1.2.4"):
        for turn in range(6):
            assert (await nodes[turn % 2].get(POLL, address=address)).body == b"OK"
            nodes[turn % 2].clock.advance(1)
        await a_while(nodes)
    for node in nodes:
        assert await problems(node) == []


@pytest_twisted.ensureDeferred
async def test_where_it_may_be_holds_on_every_node(nodes: Nodes) -> None:
    """A rule that changes on one node holds there at once, and on the others within a second."""
    one, other = nodes
    await one.exchange()
    assert (await other.get(POLL, address=THERE)).body == b"OK"
    await one.api("PATCH", "/devices/T1", {"networks": ["10.1.0.0/16"]})
    assert (await one.get(POLL, address=THERE)).status == 403
    await a_second(nodes)
    for node in nodes:
        assert (await node.get(POLL, address=THERE)).status == 403
        assert (await node.get(POLL, address=HERE)).status == 200
    for node in nodes:
        node.clock.advance(1)
    await one.api("PATCH", "/devices/T1", {"networks": [HERE, THERE]})
    assert (await one.get(POLL, address=THERE)).status == 200
    await a_second(nodes)
    assert (await other.get(POLL, address=THERE)).status == 200
    await a_second(nodes)
    assert ProblemCode.OTHER_ADDRESS not in await problems(other)


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_another_node_removes_is_forgotten(nodes: Nodes) -> None:
    """Nothing is kept in memory of it, also where a request of it was under way."""
    one, other = nodes
    registry = one.registry
    for number in range(3):
        sn = f"T{number}"
        await one.exchange(sn=sn)
        await a_while(nodes)
        terminal = registry.known(sn)
        assert (await other.api("DELETE", f"/devices/{sn}")).status == 204
        registry.seen(terminal, HERE, registry.now())
        registry.took(terminal, 1, 1)
        await a_while(nodes)
        assert registry.known(sn) is None
        registry.seen(terminal, THERE, registry.now())  # the end of a request that began before
        registry.took(terminal, 1, 2)
        await a_while(nodes)
        await a_while(nodes)
    assert registry.notes() == 0
