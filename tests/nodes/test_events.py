"""Events on several nodes of one database."""

from __future__ import annotations

import itertools

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from ..rig import Rig
from ..server.sse import Listening
from .conftest import Nodes

LINE = b"%d\t2026-01-05 08:00:00\t0\t1\n"


async def a_second(nodes: Nodes) -> None:
    """Let a second pass on both, and what they look up come back."""
    for node in nodes:
        node.clock.advance(1)
    for node in nodes:
        for _ in range(3):
            await node.store.read(lambda tx: None)


@pytest_twisted.ensureDeferred
async def test_what_one_node_does_is_heard_on_the_other(nodes: Nodes) -> None:
    """A second later, whichever node a terminal or an operator has met."""
    one, other = nodes
    listening = await Listening(other).begun()
    await one.exchange()
    await one.post("cdata?SN=T1&table=ATTLOG&Stamp=1", LINE % 7)
    command = {"command": "INFO"}
    command_id = (await one.api("POST", "/devices/T1/commands", command)).json["id"]
    await a_second(nodes)
    await listening.until(lambda: len(listening.told) == 4)
    assert sorted(listening.kinds) == ["attendance", "command", "device", "device"]
    assert listening.pins == ["7"]
    (told,) = [data for _, kind, data in listening.told if kind == "command"]
    assert (told["id"], told["state"]) == (command_id, "queued")


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_listener_can_go_on_with_another_node(nodes: Nodes) -> None:
    """While terminals store through both, it hears each record once, whichever node it asks."""
    await nodes[0].exchange()
    listening = await Listening(nodes[0], "?kinds=attendance,device").begun()
    pins, heard, renamed = itertools.count(), [], itertools.count()

    async def upload(node: Rig, number: int) -> None:
        for _ in range(number):
            body = b"".join(LINE % next(pins) for _ in range(3))
            assert (await node.post("cdata?SN=T1&table=ATTLOG&Stamp=1", body)).body == b"OK: 3"

    async def rename(node: Rig, number: int) -> None:
        for _ in range(number):
            await node.api("PATCH", "/devices/T1", {"alias": f"Gate {next(renamed)}"})

    for turn in range(8):
        writes = [Deferred.fromCoroutine(upload(node, 5)) for node in nodes * 2]
        writes += [Deferred.fromCoroutine(rename(node, 3)) for node in nodes]
        for _ in range(2):
            await a_second(nodes)
        heard += listening.told
        last = listening.last
        listening.hang_up()
        listening = await Listening(nodes[turn % 2], "?kinds=attendance,device", last).begun()
        await gatherResults(writes)
    while len(heard + listening.told) < 8 * (60 + 6):
        await a_second(nodes)
    for _ in range(2):
        await a_second(nodes)
    heard += listening.told
    stored = await nodes[0].items("/attendance?limit=1000")
    records = [data["id"] for _, kind, data in heard if kind == "attendance"]
    assert records == [item["id"] for item in stored]
    assert sorted(int(item["pin"]) for item in stored) == [*range(8 * 60)]
    names = [data["values"]["alias"] for _, kind, data in heard if kind == "device"]
    assert sorted(names) == sorted(f"Gate {number}" for number in range(8 * 6))


@pytest.mark.parametrize("first", [0, 1])
@pytest_twisted.ensureDeferred
async def test_one_node_at_a_time_drops_old_events(nodes: Nodes, first: int) -> None:
    """The other one leaves it alone, until the first is gone for a while."""
    await nodes[0].exchange()
    for node in nodes:
        node.clock.advance(8 * 86_400)
    drop = [node.retention.drop for node in nodes]
    assert await drop[first]() == 2
    await nodes[0].api("PATCH", "/devices/T1", {"alias": "Gate"})
    for node in nodes:
        node.clock.advance(600)
    assert await drop[1 - first]() == 0
    assert await drop[first]() == 0
    for node in nodes:
        node.clock.advance(8 * 86_400)
    assert await drop[1 - first]() == 1
    assert await drop[first]() == 0
    listening = await Listening(nodes[first], last="0.0").begun()
    await listening.until(lambda: listening.told)
    assert listening.kinds == ["gap"]
