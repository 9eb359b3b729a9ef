"""Catalogue of all commands that can be sent to terminals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..phrases import Phrase
from .commands import check_command, parse_parameters
from .dialect import FIRST_FAMILY, Dialect
from .errors import CommandError
from .fields import Command, Writing
from .suggestions import did_you_mean


class Catalogue:
    """The commands of all nouns, ordered by family, section, version and name."""

    def __init__(self, commands: Iterable[Command]) -> None:
        """Raises `ValueError` if two commands of a family have the same words."""
        self.commands = tuple(sorted(commands, key=_place))
        self._by_name: dict[tuple[str, str], Command] = {}
        for command in self.commands:
            key = (command.family, command.name)
            if self._by_name.setdefault(key, command) is not command:
                raise ValueError(f"there are two commands {command.name}")
        # Longest words first, so that CLEAR ALL USERINFO is not read as CLEAR.
        named = [command for command in self.commands if command.writing is not Writing.RAW]
        self._by_length = sorted(named, key=lambda command: -len(command.name))

    def __iter__(self) -> Iterator[Command]:
        return iter(self.commands)

    def get(self, name: str, family: str = FIRST_FAMILY) -> Command | None:
        """The command with these words in a family; None if there is none."""
        return self._by_name.get((family, name))

    def find(self, name: str, family: str = FIRST_FAMILY) -> Command:
        """The command with these words in a family; raises `CommandError`, which lists all."""
        try:
            return self._by_name[family, name]
        except KeyError:
            names = ", ".join(one.name for one in self.commands if one.family == family)
            others = [one.family for one in self.commands if one.name == name]
            if others:
                raise CommandError(
                    Phrase(
                        "%(name)s is a command of the family %(others)s, and this terminal is of "
                        "the family %(family)s, which has %(names)s",
                        name=name,
                        others=others[0],
                        family=family,
                        names=names,
                    )
                ) from None
            meant = did_you_mean(name, names.split(", "))
            there = meant or Phrase("there are %(names)s", names=names)
            raise CommandError(
                Phrase("%(name)s is not a command; %(there)s", name=repr(name), there=there)
            ) from None

    def validate(
        self,
        name: str,
        params: Mapping[str, str],
        dialect: Dialect | None = None,
    ) -> Command:
        """Find a command and check its parameters; see `commands.check_command`.

        The command belongs to the family of the dialect.
        """
        command = self.find(name, FIRST_FAMILY if dialect is None else dialect.family)
        check_command(command, params, dialect)
        return command

    def parse(self, text: str, family: str = FIRST_FAMILY) -> tuple[Command, dict[str, str]]:
        """Parse the text of a command as a terminal does; the inverse of `command_text`.

        Names may be in any case. For UPGRADE, the parameters are those on the wire. Raises
        `CommandError` if there is no such command.
        """
        for command in self._by_length:
            name, rest = text[: len(command.name)], text[len(command.name) :]
            is_it = command.family == family and name.upper() == command.name.upper()
            if is_it and rest[:1] in ("", " "):
                return command, parse_parameters(command, rest[1:])
        raise CommandError(Phrase("%(text)s is not a command", text=repr(text[:40])))


def _place(command: Command) -> tuple[object, ...]:
    section = [(part.isdecimal(), part.rjust(9, "0")) for part in command.section.split(".")]
    is_last = command.writing is Writing.RAW  # belongs to no section
    family = (command.family != FIRST_FAMILY, command.family)
    return *family, is_last, section, command.since, command.name
