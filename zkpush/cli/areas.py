"""Names of areas that a command is given, which may be mistyped.

An area exists as soon as a terminal or a person is in it. So a new name is allowed there, and said.
Where it selects terminals and people, the server refuses one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..protocol.suggestions import did_you_mean
from .output import echo
from .replies import ApiFailure

if TYPE_CHECKING:
    from .client import Api


async def known_areas(api: Api) -> frozenset[str] | None:
    """Return the names of all areas; None if the token may not read them."""
    try:
        return frozenset(
            [one["name"] async for page in api.pages("areas", limit=None) for one in page.items]
        )
    except ApiFailure:
        return None


def note_new_areas(names: Iterable[str], known: frozenset[str] | None) -> None:
    """Say which areas are new; `known` are those that existed before."""
    for name in names:
        if known is not None and name not in known:
            echo(f"Area {name} is new{_meant(name, known)}.", err=True)


def _meant(name: str, known: Iterable[str]) -> str:
    """Return a suggestion to follow a mistyped name."""
    meant = did_you_mean(name, known).rstrip("?")
    return f" ({meant}?)" if meant else ""
