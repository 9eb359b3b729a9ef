"""/iclock/devicecmd: a terminal answers commands (13)."""

from __future__ import annotations

import attrs

from ..device.queue import CommandQueue
from ..device.registry import Registry
from .base import Call, TerminalResource


@attrs.define(eq=False)
class DeviceCmd(TerminalResource):
    """POST answers."""

    _registry: Registry
    _queue: CommandQueue
    methods = ("POST",)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    async def answer(self, call: Call) -> bytes:
        """Take the answers; they are on disk when this says so."""
        terminal = await self._registry.admit(call.sn, call.address)
        await self._queue.answer(terminal, call.body)
        return b"OK"
