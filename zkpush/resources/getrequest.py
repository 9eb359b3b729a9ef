"""/iclock/getrequest: a terminal polls for commands (12), and says how it is (9)."""

from __future__ import annotations

import attrs

from ..device.intake import Intake
from ..device.queue import CommandQueue
from ..device.registry import Registry
from ..protocol.handshake import UNKNOWN_DEVICE
from ..protocol.tables import INFO
from .base import Call, TerminalResource


@attrs.define(eq=False)
class GetRequest(TerminalResource):
    """GET polls."""

    _registry: Registry
    _intake: Intake
    _queue: CommandQueue
    methods = ("GET",)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    async def answer(self, call: Call) -> bytes:
        """Answer with commands, or `OK` where there are none; never with nothing."""
        terminal = await self._registry.admit(call.sn, call.address)
        info = call.arguments.get("INFO")
        if info:
            await self._intake.report(terminal, INFO, info)
        commands = await self._queue.poll(terminal)
        return UNKNOWN_DEVICE.encode() if commands is None else commands
