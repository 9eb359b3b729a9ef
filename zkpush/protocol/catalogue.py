"""The catalogue: every command that can be sent to a terminal, as one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .commands import check_command, parse_parameters
from .dialect import Dialect
from .errors import CommandError
from .fields import Command


class Catalogue:
    """The commands of all nouns by name, in the order of section, version and name."""

    def __init__(self, commands: Iterable[Command]) -> None:
        """`ValueError` if two commands have the same words."""
        self.commands = tuple(sorted(commands, key=_place))
        self._by_name: dict[str, Command] = {}
        for command in self.commands:
            if self._by_name.setdefault(command.name, command) is not command:
                raise ValueError(f"there are two commands {command.name}")
        # The longest words first: CLEAR ALL USERINFO is not CLEAR.
        self._by_length = sorted(self.commands, key=lambda command: -len(command.name))

    def __iter__(self) -> Iterator[Command]:
        return iter(self.commands)

    def get(self, name: str) -> Command | None:
        """The command of these words; None if there is none."""
        return self._by_name.get(name)

    def find(self, name: str) -> Command:
        """The command of these words; `CommandError` lists the ones there are."""
        try:
            return self._by_name[name]
        except KeyError:
            names = ", ".join(self._by_name)
            raise CommandError(f"{name!r} is not a command; there are {names}") from None

    def validate(
        self, name: str, params: Mapping[str, str], dialect: Dialect | None = None
    ) -> Command:
        """Find a command and check its parameters; see `commands.check_command`."""
        command = self.find(name)
        check_command(command, params, dialect)
        return command

    def parse(self, text: str) -> tuple[Command, dict[str, str]]:
        """Take the text of a command apart, as a terminal does; the inverse of `command_text`.

        Names are found in any case. Of UPGRADE, the parameters are those on the wire.
        `CommandError` if there is no such command.
        """
        for command in self._by_length:
            name, rest = text[: len(command.name)], text[len(command.name) :]
            if name.upper() == command.name.upper() and rest[:1] in ("", " "):
                return command, parse_parameters(command, rest[1:])
        raise CommandError(f"{text[:40]!r} is not a command")


def _place(command: Command) -> tuple[object, ...]:
    section = [(part.isdecimal(), part.rjust(9, "0")) for part in command.section.split(".")]
    return section, command.since, command.name
