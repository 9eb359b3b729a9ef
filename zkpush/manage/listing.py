"""Pages of the API's lists, and the cursors between pages.

A cursor is an interval of ids that are still to be listed, so that one kind of cursor serves both
orders. `12` stands for the ids after 12. `0_40_90` stands for the ids between 0 and 40, in a list
that began at 90, newest first. Ids ascend in commit order: a client that follows the cursors misses
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypeVar

import attrs
import msgspec
from msgspec import Meta

from ..model import MOST_ID, Page
from .arguments import checked_by

V = TypeVar("V")
DEFAULT_LIMIT = 100
CURSOR = r"^[0-9]{1,19}(_[0-9]{1,19}_[0-9]{1,19})?$"
_CURSOR = re.compile(r"([0-9]{1,19})(?:_([0-9]{1,19})_([0-9]{1,19}))?", re.ASCII)

Limit = Annotated[int, Meta(ge=1, le=1000)]
OptionalLimit = Annotated[
    Limit | None,
    Meta(
        description=f"Most items of the reply: 1 to 1000, by default {DEFAULT_LIMIT}; as CSV or "
        "lines of JSON, by default all"
    ),
]
After = Annotated[
    Annotated[str, Meta(pattern=CURSOR)],
    checked_by(
        lambda name, text: Position.parse(text),
        "Start of the page: `next` or `cursor` of a reply; default: the beginning",
    ),
]
Order = Annotated[
    Literal["asc", "desc"],
    Meta(description="asc: in the order the items were stored; desc: the newest first"),
]
OfDevice = Annotated[str | None, Meta(description="Serial number of a terminal")]
OfUser = Annotated[str | None, Meta(description="User ID")]


@attrs.frozen
class Position:
    """Interval of the ids that are still to be listed."""

    low: int = 0
    """Exclusive lower bound."""
    high: int | None = None
    """Exclusive upper bound; None for no bound."""
    top: int = 0
    """Id at which a bounded list began; later records have higher ids."""

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read a cursor; `ValueError` if it is invalid."""
        found = _CURSOR.fullmatch(text)
        numbers = [] if found is None else [int(part) for part in found.groups() if part]
        if not numbers or max(numbers) > MOST_ID:
            raise ValueError(
                f"after: {text[:60]!r} is not a cursor of this list; pass the `next` or `cursor` "
                "of a reply."
            )
        return cls(*numbers)

    def __str__(self) -> str:
        """Write the cursor."""
        return str(self.low) if self.high is None else f"{self.low}_{self.high}_{self.top}"

    def after(self, keys: Sequence[int], *, newest_first: bool) -> Position:
        """Return the position after items with these ids."""
        if not keys:
            return self
        if newest_first:
            top = keys[0] if self.high is None else self.top
            return Position(self.low, keys[-1], top)
        return attrs.evolve(self, low=keys[-1])

    @property
    def later(self) -> Position:
        """Return the position of records that are stored later."""
        return self if self.high is None else Position(max(self.top, self.low))


class ListQuery(msgspec.Struct, frozen=True):
    """Paging parameters."""

    limit: OptionalLimit = None
    after: After = "0"
    order: Order = "asc"

    @property
    def position(self) -> Position:
        """Return the requested position; `ValueError` if `after` is not a cursor."""
        return Position.parse(self.after)


class DeviceQuery(ListQuery, frozen=True):
    """Paging parameters, and the terminal to list."""

    device: OfDevice = None


class Listing(msgspec.Struct, Generic[V], frozen=True):
    """Part of a list."""

    items: list[V]
    next: Annotated[str | None, Meta(description="`after` of the next part; null at the end")]
    cursor: Annotated[
        str, Meta(description="`after` of a later request for items stored since then")
    ]


def whole(items: Sequence[V]) -> Listing[V]:
    """Make a list that is always returned whole."""
    return Listing([*items], None, "0")


def part_at(position: Position, limit: int, *, newest_first: bool) -> Page:
    """Return the row range for a position."""
    return Page(limit, position.low, position.high, newest_first)


def part_of_items(items: Sequence[V], part: Page) -> list[tuple[int, V]]:
    """Page a list in memory; the ids are the positions of the items, from 1."""
    end = len(items) + 1 if part.before is None else part.before
    numbered = [(number, item) for number, item in enumerate(items, 1) if part.after < number < end]
    return (numbered[::-1] if part.newest_first else numbered)[: part.limit]
