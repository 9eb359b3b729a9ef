"""Room for people, templates and photos on a terminal (spec 3.1: MaxUserCount and others)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...counting import counted
from .model import USER

_ROOMS = {
    "template 1 ": ("fingerprints", "fingerprint"),
    "template 2 ": ("faces", "face"),
    "comparison photo ": ("comparison_photos", "comparison photo"),
    "photo": ("user_photos", "user photo"),
    USER: ("users", "user"),
}
"""Counts that parts belong to, by the beginnings of their names, and their words."""
FULL = "The terminal is full: it holds at most "
"""Beginning of the reason why a part does not fit."""


def room_of(part: str) -> str | None:
    """Return the name of the count that a part belongs to; None if no terminal states one."""
    return next((name for start, (name, _) in _ROOMS.items() if part.startswith(start)), None)


class TerminalRoom:
    """Room that is left on a terminal."""

    def __init__(
        self, capacities: Mapping[str, int], reported: Mapping[str, int], sent: Iterable[str]
    ) -> None:
        """`reported` are the counts of the terminal, and `sent` the names of parts on their way."""
        self._capacities = capacities
        self._used = dict(reported)
        for part in sent:
            name = room_of(part)
            if name is not None:
                self._used[name] = self._used.get(name, 0) + 1

    def take(self, part: str) -> str | None:
        """Take the place of a new part; return why there is none, else None."""
        name = room_of(part)
        most = None if name is None else self._capacities.get(name)
        if name is None or most is None:
            return None
        used = self._used.get(name, 0)
        if used >= most:
            words = next(words for _, (known, words) in _ROOMS.items() if known == name)
            return f"{FULL}{counted(most, words)}."
        self._used[name] = used + 1
        return None
