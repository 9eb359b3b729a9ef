"""/iclock/ping: the heartbeat of a terminal that is busy with a large upload (10)."""

from __future__ import annotations

import attrs

from ..device.registry import Registry
from .base import Call, TerminalResource


@attrs.define(eq=False)
class Ping(TerminalResource):
    """GET is what the specification shows, POST what it says; both are taken."""

    _registry: Registry
    methods = ("GET", "POST")

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    async def answer(self, call: Call) -> bytes:
        """Answer that the server is there."""
        await self._registry.admit(call.sn, call.address)
        return b"OK"
