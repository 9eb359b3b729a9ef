"""Entries: data on terminals other than people, such as work codes."""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Entry of a table on a terminal that does not concern people, such as a work code."""

    id: int
    device: str
    table: str
    fields: dict[str, str | int]
    """Declared fields, by name."""
    extra: dict[str, str] = {}
    """Undeclared fields, by their name on the wire."""
    updated_at: int
    damaged: tuple[str, ...] = ()
    """Names of damaged values, which are empty here."""
