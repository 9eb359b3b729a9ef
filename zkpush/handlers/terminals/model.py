"""Intents for the terminal itself, independent of its family."""

from __future__ import annotations

import msgspec


class OpenDoor(msgspec.Struct, frozen=True):
    """Intent to open a door once."""

    door: int = 1
    """Number of the door."""
    seconds: int | None = None
    """Opening time in seconds, if the terminal supports it."""


class Reboot(msgspec.Struct, frozen=True):
    """Intent to restart the terminal."""


class SetOption(msgspec.Struct, frozen=True):
    """Intent to set an option of the terminal, named as in its family."""

    key: str
    value: str


class AskRecords(msgspec.Struct, frozen=True):
    """Intent to make the terminal send records again: all of a data type, or those of a period."""

    table: str
    """Data type, such as ATTLOG."""
    since: str | None = None
    """Start of the period by the terminal's clock, `YYYY-MM-DD HH:MM:SS`; requires `until`."""
    until: str | None = None
