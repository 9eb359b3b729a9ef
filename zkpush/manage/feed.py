"""The event feed: the database is read once a second for all listeners of this process.

Theory of operation. A cursor is a position in the feed: the id of the last event and that of the
last attendance record. Ids ascend in commit order, so a listener that resumes from a cursor misses
nothing and gets nothing twice. The feed has a position of its own; each second it reads the rows
after it in one query, and sends them to the live listeners, which are at that position. A listener
that is behind, because it resumes from an old cursor or was slow, is read for separately until it
reaches the position; listeners at the same cursor share these reads. Without listeners nothing is
read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Protocol

import attrs
import msgspec
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..interfaces import IStore, StoreError
from ..model import GAP
from ..persist.events import EventStore
from ..persist.transaction import Transaction
from ..phrases import in_english
from .limits import Owner, owned_thd
from .news import Cursor, RecordSource, Tables, areas_of, data_of, owners_of, read_news_thd

EVERY = 1.0
"""Seconds between two reads."""
KEPT = 8
"""Maximum number of cached parts for listeners that are behind: some 500 kB each."""


@attrs.frozen(eq=False)
class Message:
    """An encoded event."""

    kind: str
    at: int
    place: int
    """Index of the cursor part that `id` belongs to."""
    id: int
    text: bytes
    """The event as sent, without the line of the cursor."""
    owners: Sequence[Owner] = ()
    """The terminal and the person it is about."""
    areas: frozenset[str] | None = None
    """Areas of the event; None if only the owners decide whom it concerns."""

    def concerns(self, areas: frozenset[str], mine: Collection[Owner]) -> bool:
        """Whether a listener of some areas is told; `mine` are the owners that are of these."""
        if self.kind == GAP:
            return True
        if self.areas is None and not self.owners:
            return False
        is_theirs = self.areas is None or not areas.isdisjoint(self.areas)
        return is_theirs and all(one in mine for one in self.owners)


@attrs.frozen
class FeedPart:
    """The events after a cursor, in order."""

    messages: Sequence[Message]
    is_cut: bool
    """Whether more events follow."""
    end: Cursor
    """Cursor of the last message."""
    position: Cursor
    """Position of the feed at the time of the read: all before it is here, unless the part is
    cut."""


class Listens(Protocol):
    """Interface of a listener."""

    def tell(self, messages: Sequence[Message]) -> None:
        """Send new events."""

    def end(self) -> None:
        """End the stream."""


class Feed:
    """Sends events to all listeners of this process."""

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
        """Position of the live listeners; meaningless without listeners."""

    def __len__(self) -> int:
        """Number of listeners."""
        return len(self._listeners)

    async def end(self) -> Cursor:
        """Return the current end of the feed."""
        return await self._store.read(
            lambda tx: Cursor(tx[EventStore].last(), self._records.last_thd(tx))
        )

    async def read(
        self, after: Cursor, kinds: Collection[str], areas: frozenset[str] | None = None
    ) -> FeedPart:
        """Return the first part after a cursor; it may contain events of other kinds.

        With `areas`, the events of other areas are without kind and text.
        """
        part = await self._shared.read(after, self.position, kinds)
        if areas is None:
            return part
        return await self._store.read(lambda tx: _limited_thd(tx, part, areas))

    def join(self, listener: Listens, end: Cursor) -> None:
        """Add a listener, and start reading if it is the first; `end` is the end of the feed."""
        self._listeners.add(listener)
        if not self._running:
            self._running = True
            self.position = end
            Deferred.fromCoroutine(self._run())

    def go_live(self, listener: Listens) -> None:
        """Send new events to a listener, which has reached the position."""
        self._live.add(listener)

    def fall_behind(self, listener: Listens) -> None:
        """Send no new events to a listener until it is live again."""
        self._live.discard(listener)

    def leave(self, listener: Listens) -> None:
        """Remove a listener."""
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
        """Send new events; return whether more may follow."""
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


class SharedReads:
    """Parts of the feed for listeners that are behind, each read and encoded once.

    Listeners at the same cursor share one read, and the last parts are cached. Parts end at fixed
    ids wherever they begin, so listeners that start at different cursors soon share parts. Reads
    are serialised: however many listeners are behind, they use one thread of the store.
    """

    def __init__(self, store: IStore, records: RecordSource) -> None:
        self._store = store
        self._records = records
        self._kept: OrderedDict[tuple[Cursor, Tables], FeedPart] = OrderedDict()
        self._running: dict[tuple[Cursor, Tables], list[Deferred[FeedPart]]] = {}
        self._turns = DeferredLock()

    async def read(self, after: Cursor, position: Cursor, kinds: Collection[str]) -> FeedPart:
        """Return the first part after a cursor; `position` is that of the feed."""
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
        if part.is_cut:  # the last part may grow
            self._keep(key, part)
        for waiting in self._running.pop(key):
            waiting.callback(part)
        return part

    def clear(self) -> None:
        """Empty the cache."""
        self._kept.clear()

    @property
    def kept(self) -> int:
        """Number of cached parts."""
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
    """Read and encode the events after a cursor."""
    news = read_news_thd(tx, source, after, tables, is_aligned=is_aligned)
    messages = [
        # All listeners share this text, so it holds only what everyone may see.
        encode_message(
            one.kind,
            one.at,
            one.place,
            one.id,
            data_of(one, source),
            owners_of(one),
            areas_of(one),
        )
        for one in news.items
    ]
    return FeedPart(messages, news.is_cut, news.end, position)


def _limited_thd(tx: Transaction, part: FeedPart, areas: frozenset[str]) -> FeedPart:
    """Empty the events of other areas; the cursors of the others stay as they are."""
    owners = {one for message in part.messages for one in message.owners}
    mine = owned_thd(tx, owners, areas)
    messages = [one if one.concerns(areas, mine) else _emptied(one) for one in part.messages]
    return attrs.evolve(part, messages=messages)


def _emptied(message: Message) -> Message:
    return Message("", message.at, message.place, message.id, b"")


def encode_message(
    kind: str,
    at: int,
    place: int,
    id: int,
    data: object,
    owners: Sequence[Owner] = (),
    areas: frozenset[str] | None = None,
) -> Message:
    """Encode a server-sent event; `at` is in milliseconds."""
    text = b"event: %b\ndata: %b\n\n" % (
        kind.encode(),
        msgspec.json.encode(data, enc_hook=in_english),
    )
    return Message(kind, at, place, id, text, owners, areas)
