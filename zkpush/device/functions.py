"""Functions that belong to commands: each noun has its own, beside what else it does.

The entry of a command (in the `tables` of its noun) is data, and promises which functions there
are: one that completes the parameters before the command is queued, one that is called with the
answer (13), and, for QUERY (12.1.3), one a table that says whether an uploaded row was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import attrs

from ..model import Device, QueuedCommand
from ..persist.transaction import Transaction
from ..protocol.dialect import FIRST_FAMILY
from ..protocol.fields import Command, Row, Table
from ..protocol.replies import CommandReply

Result = dict[str, str]
"""What is kept of an answer, by name."""
Params = Mapping[str, str]


class Prepare(Protocol):
    """Completes the parameters of a command; `ValueError` if they do not fit each other."""

    def __call__(
        self, tx: Transaction, device: Device, params: Params, command_id: str, now: int, /
    ) -> dict[str, str]:
        """Return all parameters; `now` is in milliseconds."""


class Effect(Protocol):
    """Stores what follows from the answer to a command."""

    def __call__(
        self,
        tx: Transaction,
        device: Device,
        command: QueuedCommand,
        reply: CommandReply,
        now: int,
        /,
    ) -> Result:
        """Return what is kept of the answer; `now` is in milliseconds."""


Matcher = Callable[[Table, Row, Params], bool]
"""Whether a row of an upload was asked for by the command with these parameters."""


@attrs.frozen
class CommandFunctions:
    """The functions of the commands of a family, by the names of the commands."""

    prepares: Mapping[str, Prepare] = attrs.field(factory=dict)
    effects: Mapping[str, Effect] = attrs.field(factory=dict)
    matchers: Mapping[str, Mapping[str, Matcher]] = attrs.field(factory=dict)
    """By the name of the command, then by that of the table."""
    family: str = FIRST_FAMILY

    @classmethod
    def join(
        cls,
        parts: Iterable[CommandFunctions],
        commands: Iterable[Command],
        family: str = FIRST_FAMILY,
    ) -> CommandFunctions:
        """Put those of several nouns together, of one family.

        `ValueError` unless each command has exactly the functions that its entry promises, and from
        one noun each.
        """
        joined = cls({}, {}, {}, family)
        commands = [command for command in commands if command.family == family]
        for part in parts:
            if part.family != family:
                continue
            for kind in _KINDS:
                own, all_ = getattr(part, kind), getattr(joined, kind)
                for name in own:
                    if name in all_:
                        raise ValueError(f"the command {name} has two functions in {kind}")
                all_ |= own
        for kind, promises in _KINDS.items():
            promised = {command.name for command in commands if promises(command)}
            for name in promised ^ getattr(joined, kind).keys():
                missing = "has no function" if name in promised else "does not promise its function"
                raise ValueError(f"the command {name} {missing} in {kind}")
        return joined


NO_FUNCTIONS = CommandFunctions()


class FunctionTable:
    """The functions of all commands, by their families."""

    def __init__(self, parts: Iterable[CommandFunctions], commands: Iterable[Command]) -> None:
        """Put those of all nouns together; `ValueError` as for `CommandFunctions.join`."""
        parts, commands = [*parts], [*commands]
        families = {one.family for one in parts} | {one.family for one in commands}
        self._by_family = {
            family: CommandFunctions.join(parts, commands, family) for family in sorted(families)
        }

    def of(self, family: str) -> CommandFunctions:
        """The functions of a family."""
        return self._by_family.get(family, NO_FUNCTIONS)


_KINDS: Mapping[str, Callable[[Command], bool]] = {
    "prepares": lambda command: command.is_prepared,
    "effects": lambda command: command.has_effect,
    "matchers": lambda command: command.counts_records,
}
