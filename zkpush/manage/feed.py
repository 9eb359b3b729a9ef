"""What happens in the database, read once a second for all listeners of this process.

Theory of operation. A cursor says how far somebody has heard: the id of the last event, and that
of the last attendance record. Ids ascend in the order of the commits, so that whoever goes on from
a cursor misses nothing, and hears nothing twice. The feed has a position; each second it reads what
is after it, in one query, and tells those listeners that have heard everything before. A listener
that is behind, because it comes back with an old cursor or was slow for a while, is read for
separately until it has reached the position; listeners at the same place share what is read.
Without listeners nothing is read at all.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import attrs
import msgspec
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..interfaces import IStore, StoreError
from ..model import GAP, Page
from ..persist.events import EventStore
from ..persist.transaction import Transaction
from ..problems import advice_of
from ..stored import TerminalRecord
from .times import instant

EVERY = 1.0
"""Seconds between two looks."""
PART = 1000
"""Most events, and most records, that are read at once."""
KEPT = 8
"""Most parts that are kept for listeners that are behind: some 500 kB each."""
PROBLEM = "problem"
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\Z")
_GAP_DETAIL = "Events until then are dropped; attendance records are not."


@attrs.frozen
class RecordSource:
    """The table of records that are events themselves; ids ascend in the order of the commits."""

    kinds: frozenset[str]
    """The kinds of their events."""
    on_request: frozenset[str]
    """Those of them that only listeners get who name them."""
    last_thd: Callable[[Transaction], int]
    """The id of the last record; 0 if there is none."""
    read_thd: Callable[[Transaction, Page], Sequence[TerminalRecord]]
    """The records after an id."""
    view: Callable[[Any], object]
    """A record as each listener may see it."""
    kind: Callable[[Any], str]
    """The kind of event that a record is."""


class Cursor(NamedTuple):
    """How far somebody has heard."""

    event: int
    record: int

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.event}.{self.record}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read a cursor; `ValueError` if it is none."""
        found = _CURSOR.match(text)
        if found is None:
            raise ValueError(
                f"{text[:40]!r} is not the id of an event; one is such as 12.3456. "
                "Without Last-Event-ID, everything from now on is told."
            )
        return cls(int(found[1]), int(found[2]))

    def reaches(self, other: Cursor) -> bool:
        """Whether nothing before the other is missing."""
        return self.event >= other.event and self.record >= other.record

    def beyond(self, other: Cursor) -> Cursor:
        """The further of both, in each part."""
        return Cursor(max(self.event, other.event), max(self.record, other.record))


@attrs.frozen(eq=False)
class Message:
    """Something to tell."""

    kind: str
    at: int
    place: int
    """The part of the cursor that its id is."""
    id: int
    text: bytes
    """As it is sent, without the line of the cursor."""


@attrs.frozen
class FeedPart:
    """What has happened after a cursor, in order."""

    messages: Sequence[Message]
    is_cut: bool
    """Whether there is more."""
    end: Cursor
    """How far the messages go."""
    position: Cursor
    """Where the feed was when this was read: all before it is here, unless the part is cut."""


class Listens(Protocol):
    """Somebody who is told what happens."""

    def tell(self, messages: Sequence[Message]) -> None:
        """Take what has happened since the last time."""

    def end(self) -> None:
        """Hear that there will be no more."""


class Feed:
    """Tells all listeners of this process what happens."""

    _log = Logger()

    def __init__(self, store: IStore, clock: IReactorTime, records: RecordSource) -> None:
        self._store = store
        self._records = records
        self._shared = SharedReads(store, records)
        self._clock = clock
        self._listeners: set[Listens] = set()
        self._live: set[Listens] = set()
        self._running = False
        self.position = Cursor(0, 0)
        """How far the live listeners have heard; of no meaning without listeners."""

    def __len__(self) -> int:
        """How many listeners there are."""
        return len(self._listeners)

    async def end(self) -> Cursor:
        """The cursor of now."""
        return await self._store.read(
            lambda tx: Cursor(tx[EventStore].last(), self._records.last_thd(tx))
        )

    async def read(self, after: Cursor, kinds: Collection[str]) -> FeedPart:
        """What happened after a cursor, or the first part of it; other kinds may be among it."""
        return await self._shared.read(after, self.position, kinds)

    def join(self, listener: Listens, end: Cursor) -> None:
        """Begin to look, if nobody has listened; `end` is a cursor that is reached already."""
        self._listeners.add(listener)
        if not self._running:
            self._running = True
            self.position = end
            Deferred.fromCoroutine(self._run())

    def go_live(self, listener: Listens) -> None:
        """Tell a listener that has reached the position what comes after it."""
        self._live.add(listener)

    def fall_behind(self, listener: Listens) -> None:
        """Tell a listener nothing more, until it is live again."""
        self._live.discard(listener)

    def leave(self, listener: Listens) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)
        self._live.discard(listener)
        if not self._listeners:
            self._shared.clear()

    async def _run(self) -> None:
        while self._listeners:
            await deferLater(self._clock, EVERY)
            try:
                while self._listeners and await self._look():
                    pass
            except StoreError as error:
                self._log.warn("Events wait: {error}", error=str(error))
            except Exception:
                self._log.failure("Events wait")
        self._running = False

    async def _look(self) -> bool:
        """Tell what is new; whether there may be more."""
        after = self.position
        part: FeedPart = await self._store.read(
            lambda tx: _read_thd(
                tx, self._records, after, after, Tables(True, True), is_aligned=False
            )
        )
        self.position = part.end
        for listener in [*self._live]:
            try:
                listener.tell(part.messages)
            except Exception:
                self._log.failure("A listener is not told any more")
                listener.end()
        return part.is_cut


class Tables(NamedTuple):
    """Which tables are read for some kinds."""

    events: bool
    records: bool

    @classmethod
    def of(cls, kinds: Collection[str], records: Collection[str]) -> Tables:
        """The tables that have these kinds; `records` are the kinds of records."""
        of_records = frozenset(records)
        return cls(not of_records.issuperset(kinds), not of_records.isdisjoint(kinds))


class SharedReads:
    """Parts of the feed for listeners that are behind; each is read and encoded once.

    Listeners at the same place wait for one read of it, and the last parts are kept for those who
    come there a little later. Parts end at the same ids whatever cursor they begin after, so that
    listeners which begin at different cursors are soon at the same place. Reads take turns: however
    many listeners are behind, they keep one thread of the store busy.
    """

    def __init__(self, store: IStore, records: RecordSource) -> None:
        self._store = store
        self._records = records
        self._kept: OrderedDict[tuple[Cursor, Tables], FeedPart] = OrderedDict()
        self._running: dict[tuple[Cursor, Tables], list[Deferred[FeedPart]]] = {}
        self._turns = DeferredLock()

    async def read(self, after: Cursor, position: Cursor, kinds: Collection[str]) -> FeedPart:
        """The first part after a cursor; `position` is reached already."""
        tables = Tables.of(kinds, self._records.kinds)
        place = Cursor(after.event * tables.events, after.record * tables.records)
        key = (place, tables)
        part = self._kept.get(key)
        if part is not None:
            self._kept.move_to_end(key)
            return part
        if key in self._running:
            waiting: Deferred[FeedPart] = Deferred()
            self._running[key].append(waiting)
            return await waiting
        self._running[key] = []
        try:
            part = await self._turns.run(
                lambda: Deferred.fromCoroutine(self._read(place, position, tables))
            )
        except Exception:
            for waiting in self._running.pop(key):
                waiting.errback(Failure())
            raise
        if part.is_cut:  # or more may come after it
            self._keep(key, part)
        for waiting in self._running.pop(key):
            waiting.callback(part)
        return part

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()

    @property
    def kept(self) -> int:
        """How many parts are kept."""
        return len(self._kept)

    async def _read(self, after: Cursor, position: Cursor, tables: Tables) -> FeedPart:
        return await self._store.read(
            lambda tx: _read_thd(tx, self._records, after, position, tables, is_aligned=True)
        )

    def _keep(self, key: tuple[Cursor, Tables], part: FeedPart) -> None:
        self._kept[key] = part
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _read_thd(
    tx: Transaction,
    source: RecordSource,
    after: Cursor,
    position: Cursor,
    tables: Tables,
    *,
    is_aligned: bool,
) -> FeedPart:
    """Read, and encode, what has happened after a cursor.

    A part that is aligned ends at a multiple of `PART`, in each of the tables.
    """
    events: list[Message] = []
    records: list[Message] = []
    more_events = more_records = False
    if tables.events:
        found = tx[EventStore].page(Page(PART, after.event))
        count = _taken([event.id for event in found], is_aligned)
        more_events = count < len(found) or count == PART
        events = [
            encode_message(
                event.kind, event.at, 0, event.id, _told(event.kind, event.at, event.data)
            )
            for event in found[:count]
        ]
    if tables.records:
        items = source.read_thd(tx, Page(PART, after.record))
        count = _taken([item.id for item in items], is_aligned)
        more_records = count < len(items) or count == PART
        records = [
            encode_message(
                source.kind(item),
                item.received_at,
                1,
                item.id,
                # One text for all listeners: nothing that is not for everyone.
                source.view(item),
            )
            for item in items[:count]
        ]
    messages = _ordered((events, more_events), (records, more_records))
    ends = list(after)
    for message in messages:
        ends[message.place] = message.id
    return FeedPart(messages, more_events or more_records, Cursor(*ends), position)


def _taken(ids: Sequence[int], is_aligned: bool) -> int:
    """How many rows, of these ids, are taken into a part."""
    if not ids or not is_aligned:
        return len(ids)
    end = -(-ids[0] // PART) * PART
    return bisect_right(ids, end)


def _told(kind: str, at: int, data: Any) -> dict[str, object]:
    more = {"detail": _GAP_DETAIL} if kind == GAP else data
    if kind == PROBLEM:
        more = {**more, "advice": advice_of(str(data.get("code")))}
    return {"at": instant(at), **more}


def encode_message(kind: str, at: int, place: int, id: int, data: object) -> Message:
    """Encode an event as the stream of events has it; `at` is in milliseconds."""
    text = b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(data))
    return Message(kind, at, place, id, text)


_AT: Callable[[Message], int] = attrgetter("at")


def _ordered(*parts: tuple[Sequence[Message], bool]) -> list[Message]:
    """Put rows of several tables together by their times; those of a table stay in their order.

    Each comes with whether there is more of its table. What is later than the end of such a one
    waits: there may be something before it.
    """
    merged = list(heapq.merge(*(messages for messages, _ in parts), key=_AT))
    for messages, is_more in parts:
        if is_more and messages[-1] in merged:
            del merged[merged.index(messages[-1]) + 1 :]
    return merged
