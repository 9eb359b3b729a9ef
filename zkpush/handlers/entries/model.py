"""Entries: what terminals hold beside people, such as work codes."""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal holds in a table that is not of people, such as a work code."""

    id: int
    device: str
    table: str
    fields: dict[str, str | int]
    """The declared ones, by name."""
    extra: dict[str, str] = {}
    """What else the line said, by its name on the wire."""
    updated_at: int
    damaged: tuple[str, ...] = ()
    """The values that do not open: they are empty here."""
