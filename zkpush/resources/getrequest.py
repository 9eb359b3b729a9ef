"""/iclock/getrequest: a terminal polls for commands (12), and says how it is (9)."""

from __future__ import annotations

from collections.abc import Awaitable

from ..device.door import Door
from ..device.intake import Intake
from ..device.queue import CommandQueue
from ..protocol.tables import INFO
from .base import Call, TerminalResource


class GetRequest(TerminalResource):
    """GET polls."""

    methods = ("GET",)
    polls = True

    def __init__(self, door: Door, intake: Intake, queue: CommandQueue) -> None:
        super().__init__(door)
        self._intake = intake
        self._queue = queue

    def changes(self, call: Call) -> bool:
        """Whether the terminal says something new, or there is something to send."""
        return _news(call) is not None or self._queue.has_work(call.terminal)

    def answer(self, call: Call) -> bytes | Awaitable[bytes]:
        """Answer with commands, or `OK` where there are none; never with nothing.

        Most polls bring nothing new, and find nothing to do: those are answered at once.
        """
        info = _news(call)
        if info is not None:
            return self._report(call, info)
        return self._queue.poll(call.terminal, is_proved=call.is_proved)

    async def _report(self, call: Call, info: str) -> bytes:
        """Store the update information of the terminal, then poll."""
        await self._intake.report(call.terminal, INFO, info)
        commands = self._queue.poll(call.terminal, is_proved=call.is_proved)
        return commands if isinstance(commands, bytes) else await commands


def _news(call: Call) -> str | None:
    """The update information that comes with a poll, if it is not what the last one brought."""
    info: str | None = call.arguments.get("INFO")
    return info if info and info != call.terminal.reported else None
