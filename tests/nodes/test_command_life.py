"""The life of a command where every request of its terminal may go to another node."""

from __future__ import annotations

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from ..rig import Rig
from .conftest import Nodes, a_second

POLL = "getrequest?SN=T1"
LEASE = 300


async def queue(node: Rig, name: str, **delivery: object) -> str:
    """Queue a command on a node; returns its CmdID."""
    body = {"command": name, "params": {}, **delivery}
    reply = await node.api("POST", "/devices/T1/commands", body)
    assert reply.status == 202, reply.raw
    command_id: str = reply.json["id"]
    return command_id


@pytest_twisted.ensureDeferred
async def test_a_door_opens_once_whatever_node_is_asked(nodes: Nodes) -> None:
    """Polls of both nodes at one time, and after the lease: the command is in one reply."""
    one, other = nodes
    await one.exchange()
    command_id = await queue(one, "AC_UNLOCK")
    await a_second(nodes)
    polls = [Deferred.fromCoroutine(node.get(POLL)) for node in (one, other) * 3]
    bodies = [reply.body for reply in await gatherResults(polls)]
    for node in nodes:
        node.clock.advance(LEASE)
        bodies.append((await node.get(POLL)).body)
    assert [body for body in bodies if body != b"OK"] == [f"C:{command_id}:AC_UNLOCK\n".encode()]
    shown = (await other.api("GET", f"/commands/{command_id}")).json
    assert (shown["state"], shown["attempts"]) == ("unknown", 1)
    await other.get(f"devicecmd?SN=T1&ID={command_id}&Return=0")
    assert (await one.api("GET", f"/commands/{command_id}")).json["state"] == "done"


@pytest_twisted.ensureDeferred
async def test_both_nodes_end_what_is_over_once(nodes: Nodes) -> None:
    """Each ends what the other has not ended, and each end is told once."""
    one, other = nodes
    await one.exchange()
    ids = [await queue(one, "LOG", expires_in=5) for _ in range(3)]
    ids.append(await queue(one, "AC_UNLOCK"))
    for node in nodes:
        node.clock.advance(61)
    sweeps = [Deferred.fromCoroutine(node.daemon.queue.end_overdue()) for node in nodes]
    assert sum(await gatherResults(sweeps)) == len(ids)
    found = [(await other.api("GET", f"/commands/{one_id}")).json for one_id in ids]
    assert {(each["state"], each["attempts"]) for each in found} == {("expired", 0)}


@pytest_twisted.ensureDeferred
async def test_a_command_replaces_one_of_another_node(nodes: Nodes) -> None:
    """Deadlines, priority and what a command replaces are in the store."""
    one, other = nodes
    await one.exchange()
    await a_second(nodes)
    person = {"PIN": "7", "Name": "Ann"}
    first = await queue(one, "DATA UPDATE USERINFO", params=person)
    second = await queue(other, "DATA UPDATE USERINFO", params=person)
    urgent = await queue(other, "LOG", priority=9)
    body = (await other.get(POLL)).body
    assert [line.split(b":")[1].decode() for line in body.splitlines()] == [urgent, second]
    assert (await one.api("GET", f"/commands/{first}")).json["replaced_by"] == second
