"""Reading the events of a forwarder: selection by its rules, and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import msgspec

from ...manage.news import Cursor, NewsItem, RecordSource, Tables, data_of, read_news_thd
from ...manage.times import instant
from ...persist.events import EventStore
from ...persist.transaction import Transaction
from ...values.forwarding import BatchLimits, ForwardedEvent
from .model import PendingBatch, StoredForwarder
from .rules import RECORD, Selection, Shape

_PREFIXES = ("evt", "rec")
"""Prefixes of event ids, by the table that the event is in."""


@attrs.frozen
class EventPortion:
    """The next events of a forwarder."""

    events: Sequence[ForwardedEvent]
    end: Cursor
    """Where the next portion begins."""
    is_cut: bool
    """Whether more may follow."""


def event_id(item: NewsItem) -> str:
    """Return the identity of an event, which never changes."""
    return f"{_PREFIXES[item.place]}_{item.id}"


def ends_thd(tx: Transaction, records: RecordSource) -> Cursor:
    """Return the current end of events and records."""
    return Cursor(tx[EventStore].last(), records.last_thd(tx))


def tables_of(stored: StoredForwarder, records: RecordSource) -> Tables:
    """Return the tables that a forwarder reads."""
    return Tables.of(stored.events, records.kinds)


def lag(stored: StoredForwarder, records: RecordSource, ends: Cursor) -> int:
    """Return the number of rows that a forwarder has not looked at, at most."""
    tables = tables_of(stored, records)
    events = max(ends.event - stored.event_cursor, 0) * tables.events
    return events + max(ends.record - stored.record_cursor, 0) * tables.records


def read_portion_thd(
    tx: Transaction, stored: StoredForwarder, records: RecordSource, after: Cursor
) -> EventPortion:
    """Read the next events of a forwarder, as its rules select and show them."""
    news = read_news_thd(tx, records, after, tables_of(stored, records))
    selection = Selection.of(tx, stored, is_first=after.event == 0)
    items = [item for item in news.items if selection.wants(item)]
    shape = Shape.of(tx, selection, [item.row for item in items if item.place == RECORD])
    events = []
    for item in items:
        data = msgspec.to_builtins(data_of(item, records))
        if item.place == RECORD:
            data = shape.shaped(item.row, data)
        if data is not None:
            events.append(
                ForwardedEvent(
                    id=event_id(item),
                    type=item.kind,
                    timestamp=instant(item.at),
                    data=_present(data),
                )
            )
    return EventPortion(events, news.end, news.is_cut)


def _present(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out the fields without a value."""
    return {name: value for name, value in data.items() if value is not None}


def make_batches(
    events: Sequence[ForwardedEvent],
    place: int,
    limits: BatchLimits,
    now: int,
    new_mark: Callable[[], str],
) -> list[PendingBatch]:
    """Cut events into batches; `place` is the number of the first event."""
    batches: list[PendingBatch] = []
    part: list[ForwardedEvent] = []
    size = 0

    def end() -> None:
        nonlocal place, part, size
        if part:
            batches.append(
                PendingBatch(place=place, mark=new_mark(), made_at=now, events=tuple(part))
            )
            place, part, size = place + len(part), [], 0

    encode = msgspec.json.Encoder().encode
    for event in events:
        length = len(encode(event)) + 1
        if part and (len(part) >= limits.events or size + length > limits.bytes):
            end()
        part.append(event)
        size += length
    end()
    return batches
