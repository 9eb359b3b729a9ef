"""Reading the events of a forwarder: selection by its rules, and batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import attrs
import msgspec

from ...manage.news import Cursor, News, NewsItem, RecordSource, Tables, data_of, read_news_thd
from ...manage.times import instant
from ...model import CORRECTED
from ...persist.events import EventStore
from ...persist.transaction import Transaction
from ...values.forwarding import WITHDRAWN, BatchLimits, ForwardedEvent
from .model import PendingBatch, StoredForwarder
from .rules import RECORD, EventSelection, areas_thd
from .shapes import PortionPunches, Recomputed, Shape

if TYPE_CHECKING:
    from ..attendance.model import Punch

_PREFIXES = ("evt", "rec")
"""Prefixes of event ids, by the table that the event is in."""


MOST = 1000
"""Number of events after which a portion ends."""


@attrs.frozen
class EventPortion:
    """The next events of a forwarder."""

    events: Sequence[ForwardedEvent]
    end: Cursor
    """Where the next portion begins."""
    is_cut: bool
    """Whether more may follow."""


@attrs.frozen
class _Chosen:
    """An event that the rules select."""

    id: str
    type: str
    item: NewsItem
    corrects: str | None = None


def event_id(item: NewsItem) -> str:
    """Return the identity of an event, which never changes."""
    return f"{_PREFIXES[item.place]}_{item.id}"


def record_event_id(record_id: int) -> str:
    """Return the identity of the event of an attendance record."""
    return f"{_PREFIXES[RECORD]}_{record_id}"


def record_of(event: ForwardedEvent) -> int | None:
    """Return the id of the attendance record that an event is about; None for other events."""
    prefix, _, number = event.subject.partition("_")
    return int(number) if prefix == _PREFIXES[RECORD] else None


def ends_thd(tx: Transaction, records: RecordSource) -> Cursor:
    """Return the current end of events and records."""
    return Cursor(tx[EventStore].last(), records.last_thd(tx))


def tables_of(stored: StoredForwarder, records: RecordSource) -> Tables:
    """Return the tables that a forwarder reads; corrections of records are events."""
    follows = records.kinds.isdisjoint(stored.events)
    return Tables.of(stored.events if follows else (*stored.events, CORRECTED), records.kinds)


def shown_tables(stored: StoredForwarder, records: RecordSource) -> Tables:
    """Return the tables whose rows count as backlog: not those that may only hold corrections."""
    return Tables.of(stored.events, records.kinds)


def lag(stored: StoredForwarder, tables: Tables, ends: Cursor) -> int:
    """Return the number of rows of tables that a forwarder has not looked at, at most."""
    events = max(ends.event - stored.event_cursor, 0) * tables.events
    return events + max(ends.record - stored.record_cursor, 0) * tables.records


def read_portion_thd(
    tx: Transaction, stored: StoredForwarder, records: RecordSource, after: Cursor
) -> EventPortion:
    """Read the next events of a forwarder, as its rules select and show them."""
    news = read_news_thd(tx, records, after, tables_of(stored, records))
    return portion_of_thd(tx, stored, records, after, news)


def portion_of_thd(
    tx: Transaction,
    stored: StoredForwarder,
    records: RecordSource,
    after: Cursor,
    news: News,
    known: int | None = None,
) -> EventPortion:
    """Select and show events as the rules of a forwarder say; `news` follow the cursor `after`.

    `known` is the id of the last record that counts for directions and gaps; None for that of the
    portion. A portion changes punches from before it only with None.
    """
    selection = EventSelection.of(tx, stored, is_first=after.event == 0)
    seen = after.record if known is None else known
    punches = PortionPunches(seen, seen)
    chosen: list[_Chosen] = []
    ends = list(after)
    is_cut = news.is_cut
    for item in news.items:
        if len(chosen) >= MOST:  # an event may name a hundred records
            is_cut = True
            break
        ends[item.place] = item.id
        if item.kind == CORRECTED and item.place == 0:
            chosen += _corrected_thd(tx, item, records, selection, ends[RECORD], punches)
            continue
        if item.place == RECORD:
            punches.arrived.append(item.row)
        if selection.wants(item):
            chosen.append(_Chosen(event_id(item), item.kind, item))
    else:
        ends = list(news.end)
    punches.end = ends[RECORD] if known is None else known
    shape = Shape.of(tx, selection, punches)
    events = [*_shown(chosen, records, shape), *_changes(shape, punches, chosen, records)]
    areas = areas_thd(tx, {one.device for one in events})
    return EventPortion(
        [msgspec.structs.replace(one.event, area=areas.get(one.device)) for one in events],
        Cursor(*ends),
        is_cut,
    )


def present_thd(
    tx: Transaction,
    stored: StoredForwarder,
    records: RecordSource,
    events: Sequence[ForwardedEvent],
) -> list[ForwardedEvent]:
    """Return events that were made before, with the data that records have now.

    Ids stay. Records that the rules leave out now are missing; a correction of one whose gap or
    direction leaves it out withdraws it. Events about other things are as they were.
    """
    numbers = {one.id: record_of(one) for one in events}
    wanted = sorted({number for number in numbers.values() if number is not None})
    rows = {row.id: row for row in records.find_thd(tx, wanted)}
    selection = EventSelection.of(tx, stored, is_first=False)
    chosen = []
    for one in events:
        row = rows.get(numbers[one.id] or 0)
        if row is None:
            continue
        kind = records.kind(row)
        record = NewsItem(kind, row.received_at, RECORD, row.id, row)
        if selection.wants(record):
            shown = kind if one.corrects is None else f"{kind}.{CORRECTED}"
            chosen.append(_Chosen(one.id, shown, record, one.corrects))
    seen = stored.record_cursor
    punches = PortionPunches(seen, seen, [cast("Punch", row) for row in rows.values()])
    shape = Shape.of(tx, selection, punches)
    made = {one.event.id: one for one in _shown(chosen, records, shape)}
    areas = areas_thd(tx, {one.device for one in made.values()})
    present = []
    for one in events:
        if numbers[one.id] is None:
            present.append(one)
        elif (found := made.get(one.id)) is not None:
            present.append(
                msgspec.structs.replace(
                    found.event, timestamp=one.timestamp, area=areas.get(found.device)
                )
            )
    return present


@attrs.frozen
class _Shown:
    """An event as it is sent, but for the area of its terminal."""

    event: ForwardedEvent
    device: Any
    """Serial number of the terminal; None for none."""


def _shown(chosen: Iterable[_Chosen], records: RecordSource, shape: Shape) -> Iterator[_Shown]:
    """Yield the chosen events that are not left out."""
    for one in chosen:
        item, kind, data = one.item, one.type, _data(one.item, records)
        if item.place == RECORD:
            shaped = shape.shaped(item.row, data)
            if shaped is None:
                if one.corrects is None:
                    continue
                kind, shaped = f"{item.kind}.{WITHDRAWN}", shape.withdrawn(data)
            data = shaped
        event = ForwardedEvent(
            id=one.id,
            type=kind,
            timestamp=instant(item.at),
            data=_present(data),
            corrects=one.corrects,
        )
        yield _Shown(event, _device_of(item))


def _changes(
    shape: Shape, punches: PortionPunches, chosen: Sequence[_Chosen], records: RecordSource
) -> Iterator[_Shown]:
    """Yield corrections of punches that were sent before, because of others in the portion."""
    ids = {one.item.id for one in chosen if one.item.place == RECORD}

    def view(punch: Any) -> dict[str, Any]:
        return _data(NewsItem(records.kind(punch), 0, RECORD, punch.id, punch), records)

    for change in shape.changes(punches, ids, view):
        what = WITHDRAWN if change.is_withdrawn else CORRECTED
        event = ForwardedEvent(
            id=change.id,
            type=f"{records.kind(change.punch)}.{what}",
            timestamp=instant(change.at),
            data=_present(change.data),
            corrects=record_event_id(change.punch.id),
        )
        yield _Shown(event, change.punch.device)


def _device_of(item: NewsItem) -> Any:
    """Return the serial number of the terminal that an event is about; None for none."""
    return item.row.device if item.place == RECORD else item.row.data.get("device")


def _data(item: NewsItem, records: RecordSource) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(data_of(item, records))
    return found


def _corrected_thd(
    tx: Transaction,
    item: NewsItem,
    records: RecordSource,
    selection: EventSelection,
    read: int,
    punches: PortionPunches,
) -> list[_Chosen]:
    """Return the records that a correction names, as events, and add them to the punches.

    A record that was held back until now is its own event. One that was sent before is a
    correction: an event with an id of its own, whose data has the id of the record. Records after
    the id `read` are left out: they are read later, as they are now.
    """
    data = item.row.data
    if data["table"] != records.table:
        return []
    before = {key: was for key, was in zip(data["ids"], data["doubts"], strict=True) if key <= read}
    chosen = []
    for row in records.find_thd(tx, [*before]):
        punches.recomputed[row.id] = Recomputed(item.id, item.at, cast("Punch", row))
        was_held = selection.holds(before[row.id])
        at = row.received_at if was_held else item.at
        record = NewsItem(records.kind(row), at, RECORD, row.id, row)
        if selection.wants(record):
            chosen.append(
                _Chosen(event_id(record), record.kind, record)
                if was_held
                else _Chosen(
                    f"{event_id(item)}_{row.id}",
                    f"{record.kind}.{CORRECTED}",
                    record,
                    event_id(record),
                )
            )
    return chosen


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
    texts: list[bytes] = []
    size = 0

    def end() -> None:
        nonlocal place, part, texts, size
        if part:
            text = b"[%b]" % b",".join(texts)
            batches.append(
                PendingBatch(
                    place=place,
                    mark=new_mark(),
                    made_at=now,
                    events=tuple(part),
                    encoded=text.decode(),
                )
            )
            place, part, texts, size = place + len(part), [], [], 0

    encode = msgspec.json.Encoder().encode
    for event in events:
        text = encode(event)
        length = len(text) + 1
        if part and (len(part) >= limits.events or size + length > limits.bytes):
            end()
        part.append(event)
        texts.append(text)
        size += length
    end()
    return batches
