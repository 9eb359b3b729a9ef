"""What tests of several processes share: a database, and two nodes on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from ..rig import Rig

Nodes = tuple[Rig, Rig]


@pytest_twisted.async_yield_fixture
async def nodes(make_rig, database: str) -> AsyncIterator[Nodes]:
    """Two nodes that have just started."""
    yield await make_rig(database=database), await make_rig(database=database)


async def a_second(nodes: Nodes) -> None:
    """Let a second pass on both, and their looks at the store come back."""
    for node in nodes:
        node.clock.advance(1)
    for node in nodes:
        await node.registry.follow()
