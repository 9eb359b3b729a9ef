"""Commands (12): what may be asked of a terminal, and the line that asks it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import CommandError
from .fields import Command
from .tables import COMMANDS

ID_LENGTH = 16
"""Most characters of a CmdID (12)."""
_ID = re.compile(rf"[A-Za-z0-9]{{1,{ID_LENGTH}}}\Z", re.ASCII)
_LINE = re.compile(rb"C:([A-Za-z0-9]{1,20}):(.*)\Z", re.DOTALL)
_FORBIDDEN = {"\t": "TAB", "\n": "LF", "\r": "CR", "\0": "NUL"}


def find_command(name: str) -> Command:
    """Find a command by its words; `CommandError` lists the ones there are."""
    for command in COMMANDS:
        if command.name == name:
            return command
    names = ", ".join(command.name for command in COMMANDS)
    raise CommandError(f"{name!r} is not a command; there are {names}")


def validate(name: str, params: Mapping[str, str]) -> Command:
    """Check a command before it is queued (12).

    `CommandError` names the parameter that is unknown, missing, out of bounds, or holds a character
    that would end the value or the line.
    """
    command = find_command(name)
    known = {field.wire: field for field in command.parameters}
    for key, value in params.items():
        if key not in known:
            takes = ", ".join(known) or "no parameters"
            raise CommandError(f"{name} has no parameter {key!r}; it takes {takes}")
        for character, called in _FORBIDDEN.items():
            if character in value:
                raise CommandError(f"{key} holds a {called}, which a value can never contain")
        try:
            known[key].decode(value)
        except ValueError as error:
            raise CommandError(str(error)) from None
    for key, field in known.items():
        if field.required and key not in params:
            raise CommandError(f"{name} needs {key}: {field.meaning}")
    return command


def command_text(command: Command, params: Mapping[str, str]) -> str:
    """The words and parameters of a validated command, in the order of its declaration."""
    pairs = [
        f"{field.wire}={params[field.wire]}" for field in command.parameters if field.wire in params
    ]
    return " ".join([command.name, "\t".join(pairs)]) if pairs else command.name


def encode_command(command_id: str, text: str, encoding: str) -> bytes:
    """One line of a reply to a poll: `C:<CmdID>:<text>` LF.

    The LF is part of it: firmware drops the last command of a batch that has none. Characters that
    the terminal's encoding does not have are sent as `?`. `CommandError` if the line would not be
    exactly one command.
    """
    if not _ID.match(command_id):
        raise CommandError("a CmdID is 1 to 16 letters and digits")
    if any(character in text for character in "\n\r\0"):
        raise CommandError("a command is one line")
    return f"C:{command_id}:".encode() + text.encode(encoding, "replace") + b"\n"


def decode_commands(body: bytes) -> list[tuple[str, bytes]]:
    """Read the reply to a poll as a terminal does: `(CmdID, text)`, none for `OK`.

    `ValueError` for a line that is not a command, or a last line without LF.
    """
    if body == b"OK":
        return []
    *lines, rest = body.split(b"\n")
    if rest:
        raise ValueError("the last command does not end with LF, so a terminal would drop it")
    commands = []
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            raise ValueError(f"{line[:40]!r} is not a command")
        commands.append((found[1].decode(), found[2]))
    return commands
