"""Execution and answers of commands (12, 13)."""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ..declarations import declarations, parts
from ..protocol.codes import ReturnCode
from ..protocol.errors import CommandError
from ..protocol.fields import Command
from ..protocol.replies import CommandReply, encode_reply
from ..protocol.text import decode_line
from . import data, query
from .answer import Answer, ReturnCodeError
from .faults import Mischief

if TYPE_CHECKING:
    from .terminal import SimulatedTerminal

_WORD = re.compile(rb"[A-Za-z_]{1,32}")
Execute = Callable[["SimulatedTerminal", Command, Mapping[str, str]], Awaitable[Answer]]
_VERBS: Mapping[str, Execute] = {
    "DATA UPDATE ": data.update,
    "DATA DELETE ": data.delete,
    "DATA QUERY ": query.query,
    "CLEAR ": data.clear,
}


@functools.cache
def _executes() -> Mapping[str, Execute]:
    """Return the executors of nouns by command: `EXECUTE` of their `simulate` parts."""
    found: dict[str, Execute] = {}
    for module in parts("simulate"):
        found = {**getattr(module, "EXECUTE", {}), **found}
    return found


def find_execute(name: str) -> Execute:
    """Return the executor of a command; `ReturnCodeError` for an unsupported one."""
    for verb, execute in _VERBS.items():
        if name.startswith(verb):
            return execute
    found = _executes().get(name)
    if found is None:
        raise ReturnCodeError(ReturnCode.NOT_SUPPORTED)
    return found


class Executor:
    """Executes the commands of one terminal.

    A command that is sent again, because its answer was lost, is executed again, as by real
    firmware.
    """

    def __init__(
        self, terminal: SimulatedTerminal, mischief: Mischief, clock: IReactorTime
    ) -> None:
        self._terminal = terminal
        self._mischief = mischief
        self._clock = clock

    async def execute(self, command_id: str, line: bytes) -> None:
        """Execute one command, and send its answer."""
        if self._mischief.faults.slow:
            await deferLater(self._clock, self._mischief.faults.slow)
        try:
            command, params = self._read(line)
        except CommandError:
            word = _WORD.match(line)
            name = word[0].decode() if word else ""
            await self._tell(command_id, name, Answer(int(ReturnCode.NOT_SUPPORTED)))
            return
        try:
            answer = await self._do(command, params)
        except ReturnCodeError as refused:
            answer = Answer(refused.code)
        await self._tell(command_id, command.reply, answer)
        if answer.then is not None:
            await answer.then()

    def _read(self, line: bytes) -> tuple[Command, dict[str, str]]:
        """Parse a command, whose text is in the terminal's own encoding or in UTF-8."""
        catalogue = declarations().catalogue
        command, params = catalogue.parse(decode_line(line, self._terminal.model.encoding)[0])
        return catalogue.parse(decode_line(line, "utf-8")[0]) if command.utf8 else (command, params)

    async def _do(self, command: Command, params: Mapping[str, str]) -> Answer:
        code = self._mischief.refusal(command.name)
        if code is not None:
            raise ReturnCodeError(code)
        if command.since > self._terminal.model.own_version:
            raise ReturnCodeError(ReturnCode.NOT_SUPPORTED)
        return await find_execute(command.name)(self._terminal, command, params)

    async def _tell(self, command_id: str, name: str, answer: Answer) -> None:
        reply = CommandReply(command_id, answer.code, name, dict(answer.values), answer.content)
        body = encode_reply(reply, self._terminal.model.encoding)
        if self._mischief.loses_answer():
            return
        for _ in range(2 if self._mischief.doubles_answer() else 1):
            await self._terminal.link.post("devicecmd", body)
