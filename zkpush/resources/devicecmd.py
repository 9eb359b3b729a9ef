"""/iclock/devicecmd: a terminal answers commands (13)."""

from __future__ import annotations

from ..device.door import Door
from ..device.queue import CommandQueue
from .base import Call, TerminalResource


class DeviceCmd(TerminalResource):
    """POST answers."""

    methods = ("POST",)
    takes_long = True

    def __init__(self, door: Door, queue: CommandQueue) -> None:
        super().__init__(door)
        self._queue = queue

    async def answer(self, call: Call) -> bytes:
        """Take the answers; they are on disk when this says so."""
        await self._queue.answer(call.terminal, call.body)
        return b"OK"
