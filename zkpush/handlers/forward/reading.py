"""Reading the events of a forwarder: selection by its rules, and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import msgspec

from ...manage.news import Cursor, NewsItem, RecordSource, Tables, data_of, read_news_thd
from ...manage.times import instant, parse_instant
from ...model import GAP
from ...persist.events import EventStore
from ...persist.transaction import Transaction
from ...protocol.times import NO_ZONE
from ...values.forwarding import BatchLimits, ForwardedEvent
from ..attendance.model import Punch
from .model import PendingBatch, StoredForwarder

_PREFIXES = ("evt", "rec")
"""Prefixes of event ids, by the table that the event is in."""
_RECORD = 1


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
    """Read the next events of a forwarder, as its rules select them."""
    news = read_news_thd(tx, records, after, tables_of(stored, records))
    is_wanted = _selection(stored, is_first=after.event == 0)
    events = [
        ForwardedEvent(
            id=event_id(item),
            type=item.kind,
            timestamp=instant(item.at),
            data=_present(msgspec.to_builtins(data_of(item, records))),
        )
        for item in news.items
        if is_wanted(item)
    ]
    return EventPortion(events, news.end, news.is_cut)


def _present(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out the fields without a value."""
    return {name: value for name, value in data.items() if value is not None}


def _selection(stored: StoredForwarder, *, is_first: bool) -> Callable[[NewsItem], bool]:
    """Return the function that selects events; records without a time zone are left out.

    They follow when the zone of their terminal is known.
    """
    rules = stored.rules
    kinds = frozenset(stored.events) | (frozenset() if is_first else {GAP})
    devices = None if rules.devices is None else frozenset(rules.devices)
    since = stored.created_at if rules.since is None else parse_instant(rules.since) * 1000

    def is_wanted(item: NewsItem) -> bool:
        if item.kind not in kinds:
            return False
        if item.place == _RECORD:
            punch: Punch = item.row
            if punch.doubt == NO_ZONE or punch.utc < since // 1000:
                return False
            return devices is None or punch.device in devices
        if item.at < since:
            return False
        device = item.row.data.get("device")
        return devices is None or device is None or device in devices

    return is_wanted


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
