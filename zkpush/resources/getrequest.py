"""/iclock/getrequest: a terminal polls for commands (12), and says how it is (9)."""

from __future__ import annotations

from collections.abc import Awaitable

import attrs

from ..device.intake import Intake
from ..device.queue import CommandQueue
from ..device.registry import Registry
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

    def answer(self, call: Call) -> bytes | Awaitable[bytes]:
        """Answer with commands, or `OK` where there are none; never with nothing.

        Most polls are of terminals that are served, bring nothing new, and find nothing to do:
        those are answered at once.
        """
        terminal = self._registry.serving(call.sn, call.address)
        info = call.arguments.get("INFO")
        if terminal is None or (info and info != terminal.reported):
            return self._take(call, info)
        return self._queue.poll(terminal)

    async def _take(self, call: Call, info: str | None) -> bytes:
        """Admit the terminal and store its update information, then poll."""
        terminal = await self._registry.admit(call.sn, call.address)
        if info:
            await self._intake.report(terminal, INFO, info)
        commands = self._queue.poll(terminal)
        return commands if isinstance(commands, bytes) else await commands
