"""Reading events in order: stored events, and the records that are events themselves.

A cursor is a position in both tables: the id of the last event and that of the last record. Ids
ascend in commit order, so a reader that continues from a cursor misses nothing and gets nothing
twice.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import attrs
import msgspec

from ..model import GAP, Event, Page
from ..persist.events import EventStore
from ..persist.transaction import Transaction
from ..problems import advice_of
from ..stored import TerminalRecord
from .limits import PERSON, TERMINAL, Owner, of_device
from .times import instant

PART = 1000
"""Maximum number of events, and of records, per read."""
PROBLEM = "problem"
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\Z")
_GAP_DETAIL = "Events until then are dropped; attendance records are not."


@attrs.frozen
class RecordSource:
    """The table whose records are events themselves; ids ascend in commit order."""

    kinds: frozenset[str]
    """Kinds of their events."""
    on_request: frozenset[str]
    """Kinds that are sent only to listeners that name them."""
    last_thd: Callable[[Transaction], int]
    """Returns the id of the last record; 0 if there is none."""
    read_thd: Callable[[Transaction, Page], Sequence[TerminalRecord]]
    """Returns the records after an id."""
    find_thd: Callable[[Transaction, Sequence[int]], Sequence[TerminalRecord]]
    """Returns the records with some ids, by id."""
    between_thd: Callable[[Transaction, int, int], tuple[int, int]]
    """Returns ids between which all records that were stored in a period (ms) are; 0, 0 if there
    are none."""
    table: str
    """Name of the table, in `CORRECTED` events."""
    view: Callable[[Any], object]
    """Returns the view of a record that every listener may see."""
    view_type: type[msgspec.Struct]
    """Type of the views."""
    kind: Callable[[Any], str]
    """Returns the event kind of a record."""


class Cursor(NamedTuple):
    """A position in the feed."""

    event: int
    record: int

    def __str__(self) -> str:
        """Write the cursor."""
        return f"{self.event}.{self.record}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read a cursor; `ValueError` if it is invalid."""
        found = _CURSOR.match(text)
        if found is None:
            raise ValueError(
                f"{text[:40]!r} is not the id of an event; one is such as 12.3456. "
                "Without Last-Event-ID, everything from now on is told."
            )
        return cls(int(found[1]), int(found[2]))

    def reaches(self, other: Cursor) -> bool:
        """Whether this cursor is at or after the other in both parts."""
        return self.event >= other.event and self.record >= other.record

    def beyond(self, other: Cursor) -> Cursor:
        """The maximum of both cursors, in each part."""
        return Cursor(max(self.event, other.event), max(self.record, other.record))


class Tables(NamedTuple):
    """The tables to read for some kinds of events."""

    events: bool
    records: bool

    @classmethod
    def of(cls, kinds: Collection[str], records: Collection[str]) -> Tables:
        """Choose the tables of these kinds; `records` are the kinds of records."""
        of_records = frozenset(records)
        return cls(not of_records.issuperset(kinds), not of_records.isdisjoint(kinds))


@attrs.frozen(eq=False)
class NewsItem:
    """An event, or a record that is one."""

    kind: str
    at: int
    """When it was stored, in milliseconds."""
    place: int
    """Index of the cursor part that `id` belongs to: 0 for events, 1 for records."""
    id: int
    row: Any
    """The `Event` or the record."""


@attrs.frozen
class News:
    """What follows a cursor, in order."""

    items: Sequence[NewsItem]
    is_cut: bool
    """Whether more follows."""
    end: Cursor
    """Cursor of the last item."""


def read_news_thd(
    tx: Transaction,
    source: RecordSource,
    after: Cursor,
    tables: Tables,
    *,
    is_aligned: bool = False,
) -> News:
    """Read the first part after a cursor.

    An aligned part ends at a multiple of `PART`, in each table.
    """
    events: list[NewsItem] = []
    records: list[NewsItem] = []
    more_events = more_records = False
    if tables.events:
        found: Sequence[Event] = tx[EventStore].page(Page(PART, after.event))
        count = _taken([event.id for event in found], is_aligned)
        more_events = count < len(found) or count == PART
        events = [NewsItem(one.kind, one.at, 0, one.id, one) for one in found[:count]]
    if tables.records:
        items = source.read_thd(tx, Page(PART, after.record))
        count = _taken([item.id for item in items], is_aligned)
        more_records = count < len(items) or count == PART
        records = [
            NewsItem(source.kind(one), one.received_at, 1, one.id, one) for one in items[:count]
        ]
    merged = _ordered((events, more_events), (records, more_records))
    ends = list(after)
    for one in merged:
        ends[one.place] = one.id
    return News(merged, more_events or more_records, Cursor(*ends))


def data_of(item: NewsItem, source: RecordSource) -> Any:
    """Return the data of an item that everyone may see."""
    if item.place == 1:
        return source.view(item.row)
    data = item.row.data
    more = {"detail": _GAP_DETAIL} if item.kind == GAP else data
    if item.kind == PROBLEM and "advice" not in data:
        more = {**more, "advice": advice_of(str(data.get("code")), data.get("device"))}
    return {"at": instant(item.at), **more}


def owners_of(item: NewsItem) -> Sequence[Owner]:
    """Return the terminal of a record, or the terminal and the person of an event.

    An event that has areas of its own has the terminal only.
    """
    if item.place == 1:
        return (of_device(item.row),)
    data, pin = item.row.data, None
    if item.row.areas is None:
        pin = data.get("pin")
    named = ((TERMINAL, data.get("device")), (PERSON, pin))
    return [Owner(kind, str(name)) for kind, name in named if name is not None]


def areas_of(item: NewsItem) -> frozenset[str] | None:
    """Return the areas of an event, of which one suffices for a listener; None if it has none."""
    return item.row.areas if item.place == 0 else None


def _taken(ids: Sequence[int], is_aligned: bool) -> int:
    """Return the number of these rows that belong to a part."""
    if not ids or not is_aligned:
        return len(ids)
    end = -(-ids[0] // PART) * PART
    return bisect_right(ids, end)


_AT: Callable[[NewsItem], int] = attrgetter("at")


def _ordered(*parts: tuple[Sequence[NewsItem], bool]) -> list[NewsItem]:
    """Merge the rows of several tables by time, keeping the order within each table.

    Each comes with whether its table has more rows. Rows later than the end of such a table are
    left for the next part, as its next rows may precede them.
    """
    merged = list(heapq.merge(*(items for items, _ in parts), key=_AT))
    for items, is_more in parts:
        if is_more and items[-1] in merged:
            del merged[merged.index(items[-1]) + 1 :]
    return merged
