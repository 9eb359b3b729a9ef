"""Functions of commands, contributed by the nouns.

A command's table entry is data and declares which functions exist: one that completes the
parameters before the command is queued, one that is called with the answer (spec 13), and, for
QUERY (spec 12.1.3), one for each table that tells whether an uploaded row was requested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import attrs

from ..model import Device
from ..persist.transaction import Transaction
from ..protocol.dialect import FIRST_FAMILY
from ..protocol.fields import Command, Row, Table
from ..protocol.replies import CommandReply
from ..values.commands import QueuedCommand

Result = dict[str, str]
"""The stored result of an answer: values by name."""
Params = Mapping[str, str]


@attrs.frozen
class Shortfall:
    """The result of a command that the terminal carried out in part, although it reports success.

    The command ends as failed.
    """

    result: Result


class Prepare(Protocol):
    """Completes the parameters of a command; raises `ValueError` if they are inconsistent."""

    def __call__(
        self, tx: Transaction, device: Device, params: Params, command_id: str, now: int, /
    ) -> dict[str, str]:
        """Return all parameters; `now` is in milliseconds."""


class Effect(Protocol):
    """Stores the effects of an answer to a command."""

    def __call__(
        self,
        tx: Transaction,
        device: Device,
        command: QueuedCommand,
        reply: CommandReply,
        now: int,
        /,
    ) -> Result | Shortfall:
        """Return the result to store; `now` is in milliseconds."""


Maker = Callable[[Transaction, Device, Params, int], tuple[Sequence[str], int | None]]
"""Makes the file of a command in parts, when it is fetched: takes the parameters that the caller
asked for and where to begin, at first 0; returns commands as text, one a line of the file, and
where to go on, or None at the end."""
Counter = Callable[[Transaction, Device, Params], int | None]
"""Counts the lines of such a file when the command is sent; None if the command states no count."""
PackageSource = Callable[[Transaction, Device, int], tuple[Sequence[object], int | None]]
"""Selects the content of a package in parts, when it is fetched: takes where to begin, at first 0;
returns intents (`zkpush.device.intents`), and where to go on, or None at the end."""
Matcher = Callable[[Table, Row, Params], bool]
"""Whether the command with these parameters requested an uploaded row."""


@attrs.frozen
class CommandFunctions:
    """Functions of the commands of a family, by command name."""

    prepares: Mapping[str, Prepare] = attrs.field(factory=dict)
    effects: Mapping[str, Effect] = attrs.field(factory=dict)
    makers: Mapping[str, Maker] = attrs.field(factory=dict)
    counters: Mapping[str, Counter] = attrs.field(factory=dict)
    matchers: Mapping[str, Mapping[str, Matcher]] = attrs.field(factory=dict)
    """Matchers by command name, then by table name."""
    sources: Mapping[str, PackageSource] = attrs.field(factory=dict)
    """Sources of packages, by the name that the parameter `Source` of a command has; optional."""
    family: str = FIRST_FAMILY

    @classmethod
    def join(
        cls,
        parts: Iterable[CommandFunctions],
        commands: Iterable[Command],
        family: str = FIRST_FAMILY,
    ) -> CommandFunctions:
        """Join the functions of several nouns for one family.

        Raises `ValueError` unless each command has exactly the functions that its entry declares,
        each from a single noun.
        """
        joined = cls({}, {}, {}, {}, {}, {}, family)
        commands = [command for command in commands if command.family == family]
        for part in parts:
            if part.family != family:
                continue
            for kind in (*_KINDS, "sources"):
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
    """Functions of all commands, by family."""

    def __init__(self, parts: Iterable[CommandFunctions], commands: Iterable[Command]) -> None:
        """Join the functions of all nouns; raises `ValueError` as `CommandFunctions.join` does."""
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
    "makers": lambda command: command.makes_file,
    "counters": lambda command: command.makes_file,
    "matchers": lambda command: command.counts_records,
}
