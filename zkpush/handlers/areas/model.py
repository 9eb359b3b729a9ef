"""Values of areas."""

from __future__ import annotations

import msgspec

LONGEST_DESCRIPTION = 1000
"""Maximum length of the description of an area, in characters."""


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """An area, with the numbers of its terminals and people."""

    place: int
    """Its place among all areas by name, from 1."""
    name: str
    description: str | None
    distributes: bool
    devices: int
    users: int
