"""What happens in the database, read once a second for all listeners of this process.

Theory of operation. A cursor says how far somebody has heard: the id of the last event, and that
of the last attendance record. Ids ascend in the order of the commits, so that whoever goes on from
a cursor misses nothing, and hears nothing twice. The feed has a position; each second it reads what
is after it, in one query, and tells those listeners that have heard everything before. A listener
that is behind, because it comes back with an old cursor or was slow for a while, reads for itself
until it has reached the position. Without listeners nothing is read at all.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import attrs
import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ..interfaces import IStore, ITransaction, StoreError
from ..model import GAP, Page
from ..problems import advice_of
from .recordviews import attendance_view
from .times import instant

EVERY = 1.0
"""Seconds between two looks."""
PART = 1000
"""Most events, and most records, that are read at once."""
ATTENDANCE = "attendance"
PROBLEM = "problem"
KINDS = frozenset({ATTENDANCE, "device", "command", "user", PROBLEM})
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\Z")
_GAP_DETAIL = "Events until then are dropped; attendance records are not."


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
class Part:
    """What has happened after a cursor, in order."""

    messages: Sequence[Message]
    full: bool
    """Whether there may be more."""
    end: Cursor
    """How far the messages go."""


class Listens(Protocol):
    """Somebody who is told what happens."""

    def tell(self, messages: Sequence[Message]) -> None:
        """Take what has happened since the last time."""

    def end(self) -> None:
        """Hear that there will be no more."""


class Feed:
    """Tells all listeners of this process what happens."""

    _log = Logger()

    def __init__(self, store: IStore, clock: IReactorTime) -> None:
        self._store = store
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
        return await self._store.read(lambda tx: Cursor(tx.events.last(), tx.attendance.last()))

    async def read(self, after: Cursor, until: Cursor, kinds: Collection[str]) -> Part:
        """What of some kinds happened between two cursors, or the first part of it."""
        return await self._store.read(lambda tx: _read_thd(tx, after, until, kinds))

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
        part: Part = await self._store.read(lambda tx: _read_thd(tx, after, None, KINDS))
        self.position = part.end
        for listener in [*self._live]:
            try:
                listener.tell(part.messages)
            except Exception:
                self._log.failure("A listener is not told any more")
                listener.end()
        return part.full


def _read_thd(
    tx: ITransaction, after: Cursor, until: Cursor | None, kinds: Collection[str]
) -> Part:
    """Read, and encode, what has happened after a cursor."""
    events: list[Message] = []
    records: list[Message] = []
    if not {ATTENDANCE}.issuperset(kinds):
        events = [
            _message(event.kind, event.at, 0, event.id, _told(event.kind, event.at, event.data))
            for event in tx.events.page(Page(PART, after.event))
            if until is None or event.id <= until.event
        ]
    if ATTENDANCE in kinds:
        records = [
            _message(
                ATTENDANCE,
                int(str(item["received_at"])),
                1,
                int(str(item["id"])),
                # One text for all listeners: nothing that is not for everyone.
                attendance_view(item, ()),
            )
            for item in tx.attendance.page(Page(PART, after.record), None, None, None, None)
            if until is None or int(str(item["id"])) <= until.record
        ]
    messages = _ordered(events, records)
    ends = list(after)
    for message in messages:
        ends[message.place] = message.id
    return Part(messages, PART in (len(events), len(records)), Cursor(*ends))


def _told(kind: str, at: int, data: Any) -> dict[str, object]:
    more = {"detail": _GAP_DETAIL} if kind == GAP else data
    if kind == PROBLEM:
        more = {**more, "advice": advice_of(str(data.get("code")))}
    return {"at": instant(at), **more}


def _message(kind: str, at: int, place: int, id: int, data: object) -> Message:
    text = b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(data))
    return Message(kind, at, place, id, text)


_AT: Callable[[Message], int] = attrgetter("at")


def _ordered(*parts: Sequence[Message]) -> list[Message]:
    """Put parts together by their times; each of them stays in its own order.

    What is later than the end of a full part waits: there may be something before it.
    """
    merged = list(heapq.merge(*parts, key=_AT))
    for part in parts:
        if len(part) == PART and part[-1] in merged:
            del merged[merged.index(part[-1]) + 1 :]
    return merged
