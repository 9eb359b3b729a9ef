"""Jobs of which two nodes carry out parts, on both databases."""

from __future__ import annotations

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from zkpush.handlers.jobs import parts

from ..server.test_jobs import USER, answer_all, counts, poll, runner, shown, terminals
from .conftest import Nodes, a_second

LOG = {"command": "LOG"}


@pytest_twisted.ensureDeferred
async def test_two_nodes_queue_each_command_once(nodes: Nodes, monkeypatch) -> None:
    """One of them writes each part, even if both have prepared it."""
    monkeypatch.setattr(parts, "MOST_COMMANDS", 7)
    one, other = nodes
    await terminals(one, 8)
    job = (await one.api("POST", "/commands", {"commands": [USER, LOG] * 2, "all": True})).json
    work = [Deferred.fromCoroutine(runner(node).work()) for node in (one, other, one)]
    await gatherResults(work)
    found = await counts(other, job)
    # The second update of the same person replaces the first.
    assert found == {"queued": 24, "cancelled": 8}
    await a_second(nodes)
    for place in range(8):
        await other.exchange(f"T{place}")
        lines = await poll(other, f"T{place}")
        assert lines == ["LOG", "DATA UPDATE USERINFO PIN=7\tName=Ann", "LOG"]


@pytest_twisted.ensureDeferred
async def test_waves_retries_and_cancels_on_another_node(nodes: Nodes) -> None:
    """What one node began another carries on."""
    one, other = nodes
    await terminals(one, 3)
    body = {"command": "REBOOT", "all": True, "wave": 1}
    job = (await one.api("POST", "/commands", body)).json
    await runner(one).work()
    await other.exchange("T0")
    await a_second(nodes)
    assert await answer_all(other, "T0", -1) == 1
    await gatherResults([Deferred.fromCoroutine(runner(node).work()) for node in nodes])
    assert (await shown(one, job))["state"] == "stopped"
    await other.api("POST", f"/jobs/{job['id']}/retry", {})
    await gatherResults([Deferred.fromCoroutine(runner(node).work()) for node in nodes])
    assert await counts(one, job) == {"queued": 1, "waiting": 2}
    await one.api("DELETE", f"/jobs/{job['id']}")
    await gatherResults([Deferred.fromCoroutine(runner(node).work()) for node in nodes])
    assert await counts(other, job) == {"cancelled": 3}
