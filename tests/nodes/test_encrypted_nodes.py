"""An encrypted session is in the store: whichever node a request meets goes on with it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from ..rig import Response, Rig
from ..sealed import SealedTerminal

UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=%d"
BEGIN_AGAIN = (200, b"UNKNOWN DEVICE")


class Balanced:
    """Both nodes behind a balancer that gives them requests in turn."""

    def __init__(self, nodes: list[Rig]) -> None:
        self.nodes = nodes
        self._turn = itertools.cycle(nodes)

    def skip(self) -> None:
        """Leave out the node whose turn it is."""
        next(self._turn)

    @property
    def terminals(self):
        """The site of the node whose turn it is."""
        return next(self._turn).terminals

    async def post(self, path: str, body: bytes) -> Response:
        """A plain POST to the node whose turn it is."""
        return await next(self._turn).post(path, body)

    async def exchange(self, sn: str) -> Response:
        """The initialization exchange with the node whose turn it is."""
        return await next(self._turn).exchange(sn)


@pytest_twisted.async_yield_fixture
async def balanced(make_rig, database: str) -> AsyncIterator[Balanced]:
    """Two nodes that have just started."""
    yield Balanced([await make_rig(database=database) for _ in range(2)])


@pytest_twisted.ensureDeferred
async def test_every_request_may_go_to_another_node(balanced: Balanced) -> None:
    """Each step of the exchanges, and each sealed request after them, three times over."""
    terminal = SealedTerminal(balanced)
    stored = 0
    for _ in range(3):
        await terminal.begin()
        for _ in range(5):
            stored += 1
            line = b"%d\t2026-01-05 08:00:00\t0\t1\n" % stored
            assert await terminal.post(UPLOAD % stored, line) == b"OK: 1"
            assert await terminal.get("getrequest?SN=T1") == b"OK"
        balanced.skip()  # so that the next round begins with the other one
    for node in balanced.nodes:
        assert len(await node.items("/attendance")) == stored
        assert (await node.items("/rejects")) == []


@pytest_twisted.ensureDeferred
async def test_a_replay_to_another_node_is_not_taken(balanced: Balanced) -> None:
    """Of the same bytes to both nodes at once, one commits; later, none."""
    terminal = SealedTerminal(balanced)
    await terminal.begin()
    for stamp in range(1, 6):
        line = b"%d\t2026-01-05 08:00:00\t0\t1\n" % stamp
        raw, *_ = terminal.request("POST", UPLOAD % stamp, line)
        replies = await gatherResults(
            [Deferred.fromCoroutine(terminal.send(raw)) for _ in range(4)]
        )
        refused = [reply for reply in replies if (reply.status, reply.body) == BEGIN_AGAIN]
        assert len(refused) == 3
    assert len(await balanced.nodes[0].items("/attendance")) == 5


@pytest_twisted.ensureDeferred
async def test_another_policy_holds_on_every_node_within_a_second(balanced: Balanced) -> None:
    """What is required on one node is required on the other."""
    one, other = balanced.nodes
    await one.exchange()
    line = b"1\t2026-01-05 08:00:00\t0\t1\n"
    assert (await other.post(UPLOAD % 1, line)).body == b"OK: 1"
    await one.api("PATCH", "/devices/T1", {"encryption": "require"})
    other.clock.advance(1)
    await other.registry.follow()
    reply = await other.post(UPLOAD % 2, line)
    assert (reply.status, reply.body) == BEGIN_AGAIN


@pytest_twisted.ensureDeferred
async def test_a_node_that_has_not_heard_of_the_session_finds_it(balanced: Balanced) -> None:
    """A terminal that was plain so far encrypts with one node, and goes on with the other at once.

    What it seals is not taken for rubbish that it sends in the plain.
    """
    one, other = balanced.nodes
    await one.exchange()
    line = b"1\t2026-01-05 08:00:00\t0\t1\n"
    assert (await other.post(UPLOAD % 1, line)).body == b"OK: 1"
    terminal = SealedTerminal(one)
    await terminal.begin()
    terminal.rig = other
    assert await terminal.post(UPLOAD % 2, line.replace(b"1\t", b"2\t")) == b"OK: 1"
    assert await terminal.get("getrequest?SN=T1") == b"OK"
    assert await other.items("/rejects") == []
