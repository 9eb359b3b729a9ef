"""Replays: events of a period that are sent again, with the ids that they had.

A replay is a range of both tables, stored with its forwarder. The worker reads it in portions, like
new events, and only while there are no new ones. Rules apply as they are now. Directions and gaps
follow from all punches that the forwarder has read, also from those after the range.
"""

from __future__ import annotations

import msgspec

from ...manage.news import Cursor, News, RecordSource, Tables, read_news_thd
from ...persist.events import EventStore
from ...persist.transaction import Transaction
from .model import ReplayRange, StoredForwarder
from .reading import EventPortion, portion_of_thd, tables_of


def range_thd(
    tx: Transaction, stored: StoredForwarder, records: RecordSource, since: int, until: int
) -> ReplayRange:
    """Return the range of the events of a period (ms) that a forwarder has read already."""
    tables = tables_of(stored, records)
    events = tx[EventStore].between(since, until) if tables.events else (0, 0)
    found = records.between_thd(tx, since, until) if tables.records else (0, 0)
    return ReplayRange(
        event_cursor=max(events[0] - 1, 0),
        record_cursor=max(found[0] - 1, 0),
        event_end=min(events[1], stored.event_cursor),
        record_end=min(found[1], stored.record_cursor),
        since=since,
        until=until,
    )


def read_replay_thd(
    tx: Transaction, stored: StoredForwarder, records: RecordSource, replay: ReplayRange
) -> tuple[EventPortion, ReplayRange | None]:
    """Read the next portion of a replay; return what is left, None at the end."""
    after = Cursor(replay.event_cursor, replay.record_cursor)
    tables = Tables(
        replay.event_cursor < replay.event_end, replay.record_cursor < replay.record_end
    )
    news = _within(replay, read_news_thd(tx, records, after, tables))
    portion = portion_of_thd(tx, stored, records, after, news, stored.record_cursor)
    if portion.end == after:
        return portion, None
    left = msgspec.structs.replace(
        replay, event_cursor=portion.end.event, record_cursor=portion.end.record
    )
    return portion, left if left.rows else None


def _within(replay: ReplayRange, news: News) -> News:
    """Leave out what is after the range, or of another time."""
    last = replay.event_end, replay.record_end
    items = [
        one
        for one in news.items
        if one.id <= last[one.place] and replay.since <= one.at < replay.until
    ]
    end = Cursor(
        _end(news.end.event, replay.event_cursor, replay.event_end),
        _end(news.end.record, replay.record_cursor, replay.record_end),
    )
    return News(items, news.is_cut, end)


def _end(read: int, before: int, last: int) -> int:
    """Return how far a table was read: to the end of the range, or not at all."""
    return max(min(read, last), before)
