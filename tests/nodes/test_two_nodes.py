"""Any process can serve any terminal: two whole daemons on one database."""

from __future__ import annotations

import re

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from ..rig import Rig
from .conftest import Nodes, a_second

LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=%d"
POLL = "getrequest?SN=T1"


async def queue(node: Rig, command: str) -> str:
    """Queue a command on one node."""
    response = await node.api("POST", "/devices/T1/commands", {"command": command})
    assert response.status == 202
    return response.json["id"]


@pytest_twisted.ensureDeferred
async def test_each_request_of_a_terminal_may_go_to_another_node(nodes: Nodes) -> None:
    """Exchange, poll, upload, command and answer work whichever node each of them meets."""
    one, other = nodes
    assert (await one.exchange()).status == 200
    assert (await other.get(POLL)).body == b"OK"
    for stamp in range(1, 5):
        node = nodes[stamp % 2]
        line = b"%d\t2026-01-05 08:00:00\t0\t1\n" % stamp
        assert (await node.post(UPLOAD % stamp, line)).body == b"OK: 1"
    assert b"ATTLOGStamp=4\n" in (await one.exchange()).body
    assert b"ATTLOGStamp=4\n" in (await other.exchange()).body

    command_id = await queue(other, "INFO")
    await a_second(nodes)
    assert (await one.get(POLL)).body == f"C:{command_id}:INFO\n".encode()
    answer = f"ID={command_id}&Return=0&CMD=INFO\n~DeviceName=X\n".encode()
    assert (await other.post("devicecmd?SN=T1", answer)).body == b"OK"
    await a_second(nodes)
    for node in nodes:
        assert (await node.get(POLL)).body == b"OK"
        assert (await node.items("/devices"))[0]["options"] == {"~DeviceName": "X"}
        assert len(await node.items("/attendance")) == 4


@pytest_twisted.ensureDeferred
async def test_a_command_is_sent_exactly_once(nodes: Nodes) -> None:
    """Polls that meet both nodes at once get each command once between them."""
    await nodes[0].exchange()
    ids = [await queue(nodes[number % 2], "LOG") for number in range(20)]
    await a_second(nodes)
    polls = [Deferred.fromCoroutine(node.get(POLL)) for node in nodes * 4]
    bodies = [response.body for response in await gatherResults(polls)]
    sent = re.findall(rb"C:([a-z0-9]+):LOG\n", b"".join(bodies))
    assert sorted(sent) == sorted(name.encode() for name in ids)


@pytest_twisted.ensureDeferred
async def test_what_an_operator_decides_holds_on_every_node(make_rig, database: str) -> None:
    """An approval, or a block, on one node holds on the other in a second."""
    nodes = (
        await make_rig(database=database, admission="approve"),
        await make_rig(database=database, admission="approve"),
    )
    one, other = nodes
    for node in nodes:
        assert (await node.exchange()).status == 403
    await one.api("PATCH", "/devices/T1", {"state": "approved"})
    await a_second(nodes)
    assert (await other.exchange()).status == 200
    assert (await one.post(UPLOAD % 1, LINE)).body == b"OK: 1"
    await other.api("PATCH", "/devices/T1", {"state": "blocked"})
    await a_second(nodes)
    assert (await one.get(POLL)).status == 403


@pytest_twisted.ensureDeferred
async def test_a_setting_of_one_node_reaches_the_terminal_through_the_other(nodes: Nodes) -> None:
    """The terminal is asked for a new exchange by whichever node it polls."""
    one, other = nodes
    await one.exchange()
    assert (await other.get(POLL)).body == b"OK"
    await one.api("PATCH", "/devices/T1", {"settings": {"Delay": 7}})
    await a_second(nodes)
    assert (await other.get(POLL)).body == b"UNKNOWN DEVICE"
    assert b"\nDelay=7\n" in (await other.exchange()).body
    assert (await one.get(POLL)).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_zone_that_moves_is_seen_to_by_one_node(nodes: Nodes) -> None:
    """At the change to summer time the terminal makes one new exchange, not one for each node."""
    await nodes[0].exchange()
    await nodes[0].api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await nodes[0].exchange()
    await a_second(nodes)
    for node in nodes:
        node.clock.advance(28 * 86_400)  # 29 March, in the afternoon
        await node.store.write(lambda tx: None)
    await a_second(nodes)
    assert {(await node.get(POLL)).body for node in nodes} == {b"UNKNOWN DEVICE"}
    assert b"\nTimeZone=2\n" in (await nodes[1].exchange()).body
    await a_second(nodes)
    assert {(await node.get(POLL)).body for node in nodes} == {b"OK"}


@pytest_twisted.ensureDeferred
async def test_an_old_answer_of_the_store_does_not_undo_a_newer_change(make_rig) -> None:
    """What this process wrote while it waited for the changes of others stays."""
    rig = await make_rig()
    await rig.exchange()
    await rig.api("PATCH", "/devices/T1", {"alias": "Door"})
    read, late = rig.store.read, []

    async def read_slowly(query):
        found = await read(query)
        if not late:
            late.append(True)
            await rig.api("PATCH", "/devices/T1", {"alias": "Gate"})
        return found

    rig.store.read = read_slowly
    await rig.registry.follow()
    assert late
    assert rig.registry.known("T1").device.alias == "Gate"
