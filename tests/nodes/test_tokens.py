"""Tokens that are made and revoked on one node, and used on another."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from zkpush.protocol.fields import Scope

from ..rig import Rig
from ..server.sse import Listening

Nodes = tuple[Rig, Rig]


@pytest_twisted.async_yield_fixture
async def nodes(make_rig, database: str) -> AsyncIterator[Nodes]:
    """Two nodes that serve the API."""
    both = await make_rig(database=database), await make_rig(database=database)
    for node in both:
        node.start_jobs()
    yield both
    for node in both:
        await node.stop_jobs()


async def tried(node: Rig, token: str) -> int:
    """The status that a token gets."""
    headers = (f"Authorization: Bearer {token}",)
    return (await node.api("GET", "/devices", headers=headers)).status


async def a_second(node: Rig) -> None:
    """Let a second pass, and the look at the store come back that is made in it."""
    node.clock.advance(1)
    await node.tokens.followed()


@pytest_twisted.ensureDeferred
async def test_a_new_token_is_good_on_every_node_at_once(nodes: Nodes) -> None:
    """Also on one that has not looked for new ones yet."""
    one, other = nodes
    token = await one.token("hr", Scope.READ)
    assert await tried(other, token) == 200


@pytest_twisted.ensureDeferred
async def test_a_revoked_token_is_good_nowhere_after_a_second(nodes: Nodes) -> None:
    """Streams on other nodes end with it, those of other tokens do not."""
    one, other = nodes
    token, stays = await one.token("hr", Scope.READ), await one.token("it", Scope.READ)
    listening = await Listening(other, token=token).begun()
    going_on = await Listening(other, token=stays).begun()
    assert (await one.api("DELETE", "/tokens/hr")).status == 204
    assert await tried(one, token) == 401
    await a_second(other)
    assert await tried(other, token) == 401
    await listening.until(lambda: listening.wire.closed)
    assert not going_on.wire.closed


@pytest_twisted.ensureDeferred
async def test_nodes_do_not_give_a_name_twice(nodes: Nodes) -> None:
    """Whichever comes first has it."""
    one, other = nodes
    await one.token("hr", Scope.READ)
    again = await other.api("POST", "/tokens", {"name": "hr", "scopes": ["read"]})
    assert again.status == 409
