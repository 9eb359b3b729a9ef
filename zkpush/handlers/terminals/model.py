"""What may be wanted of a terminal itself, whatever family it is of."""

from __future__ import annotations

import msgspec


class OpenDoor(msgspec.Struct, frozen=True):
    """Open a door once."""

    door: int = 1
    """The number of the door."""
    seconds: int | None = None
    """For how long, if the terminal can be told."""


class Reboot(msgspec.Struct, frozen=True):
    """Restart the terminal."""


class SetOption(msgspec.Struct, frozen=True):
    """Set an option of the terminal, by the name that its family has for it."""

    key: str
    value: str


class AskRecords(msgspec.Struct, frozen=True):
    """Send records again: all of a data type, or those of a period."""

    table: str
    """The data type, such as ATTLOG."""
    since: str | None = None
    """By the clock of the terminal, `YYYY-MM-DD HH:MM:SS`; with `until`."""
    until: str | None = None
