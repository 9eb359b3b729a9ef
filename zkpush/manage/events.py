"""`GET events`: a stream of server-sent events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.web.server import Request

from ..interfaces import StoreError
from ..model import GAP, Caller
from ..periodic import PeriodicService
from ..phrases import Phrase
from ..protocol.fields import Scope
from .arguments import checked_by
from .connections import EndlessReplies
from .errors import ApiError
from .feed import EVERY, Feed, Message
from .news import Cursor, RecordSource
from .pushed import HEARTBEAT, PushedReply
from .routes import Route, Stream

AT_ONCE = 16 * 1024
"""Approximate number of bytes written before checking whether the listener reads."""
RETRY = 1000
"""Milliseconds after which a disconnected listener should reconnect."""
MOST_NAMED = 5
"""Maximum number of unknown kinds that an error names."""
_HEADERS = {
    # nginx would buffer events otherwise.
    "X-Accel-Buffering": "no",
}


def _check_id(name: str, text: str) -> None:
    Cursor.parse(text)


_LastEventId = Annotated[
    str | None,
    checked_by(_check_id, "For clients that cannot send Last-Event-ID, which overrides it"),
]


class EventQuery(msgspec.Struct, frozen=True):
    """Filter for events."""

    kinds: str | None = None
    last_event_id: _LastEventId = None


class EventEndpoints:
    """The route of events."""

    def __init__(
        self,
        feed: Feed,
        clock: IReactorTime,
        room: EndlessReplies,
        records: RecordSource,
        kinds: Iterable[str],
    ) -> None:
        """`room` limits the number of listeners; `records` are events too.

        `kinds` are the kinds of all other events.
        """
        self._kinds = records.kinds.union(kinds)
        self._default = self._kinds - records.on_request
        self._feed = feed
        self._clock = clock
        self._room = room

    def routes(self) -> list[Route]:
        """The route of events."""
        special = " and ".join(f"`{kind}`" for kind in sorted(self._kinds - self._default))
        words = f"Some of {','.join(sorted(self._kinds))}; by default all but {special}"
        query = msgspec.defstruct(
            EventQuery.__name__,
            [("kinds", Annotated[str | None, self._of_kinds(words)], None)],
            bases=(EventQuery,),
            frozen=True,
        )
        return [
            Route(
                "GET",
                "/events",
                Scope.READ,
                self.events,
                "What happens, as text/event-stream; Last-Event-ID resumes after an event",
                query=query,
                produces=("text/event-stream",),
                takes=("last_event_id", "caller"),
                limited=(),
            ),
        ]

    async def events(self, query: EventQuery, last_event_id: str | None, caller: Caller) -> Stream:
        """Stream events from now on, or after a cursor."""
        chosen = query.kinds
        kinds = self._default if chosen is None else _chosen(chosen, self._kinds)
        text = last_event_id or query.last_event_id
        cursor = Cursor.parse(text) if text else None
        end = await self._feed.end()
        if cursor is not None and not end.reaches(cursor):
            raise ApiError(
                HTTPStatus.BAD_REQUEST,
                f"The event {cursor} has not happened here: the last one is {end}. It is of "
                "another database, or of this one before it was restored. Begin without "
                "Last-Event-ID.",
            )

        if not self._room.has_reader:
            raise ApiError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "There are as many readers of events and open consoles as allowed "
                f"(limits.event_streams, {self._room.most_readers}; together, three quarters of "
                "limits.manage_connections); try later.",
            )

        def begin(request: Request) -> Callable[[], None]:
            listener = EventListener(
                self._feed, self._clock, request, kinds, cursor or end, end, caller.areas
            )
            return listener.end

        return Stream("text/event-stream", begin, _HEADERS)

    def _of_kinds(self, words: str) -> Meta:
        kinds = self._kinds  # and not `self`: Python keeps the latest of such types
        return checked_by(lambda name, text: _chosen(text, kinds), words)


def _chosen(text: str, present: Collection[str]) -> Collection[str]:
    """Return the kinds in a query; `ValueError` for one that is not among the `present`."""
    kinds = frozenset(text.split(","))
    unknown = sorted(kinds.difference(present))
    if unknown:
        names = ", ".join(repr(kind[:40]) for kind in unknown[:MOST_NAMED])
        raise ValueError(
            f"There are no events of the kind {names}; there are {', '.join(sorted(present))}."
        )
    return kinds


class EventListener(PushedReply):
    """One listener, which gets events at its own pace; unsent events are read again."""

    _log = Logger()

    def __init__(
        self,
        feed: Feed,
        clock: IReactorTime,
        request: Request,
        kinds: Collection[str],
        cursor: Cursor,
        end: Cursor,
        areas: frozenset[str] | None = None,
    ) -> None:
        """Start to send events of `kinds` after `cursor`; `end` is the end of the feed.

        `areas` are those of a limited caller, who reads all events separately.
        """
        super().__init__(request, clock)
        self._areas = areas
        self._feed = feed
        self._kinds = frozenset({*kinds, GAP})
        self._cursor = cursor
        self._reading = False
        self._left: Sequence[Message] = ()
        self._beat = PeriodicService(clock)
        self._beat.every(HEARTBEAT, self._say_position, Phrase("A listener is not kept alive"))
        self._beat.startService()
        self._begin()
        request.write(b"retry: %d\n" % RETRY)
        self._say_position()
        feed.join(self, end)
        self._catch_up()

    def tell(self, messages: Sequence[Message]) -> None:
        """Send new events."""
        if self._areas is not None:
            self._feed.fall_behind(self)
            self._catch_up()
        elif not self._send(messages):
            self._feed.fall_behind(self)

    def _send(self, messages: Sequence[Message]) -> bool:
        """Send the wanted events after the cursor; return whether all were sent.

        The rest is kept, as the listener usually reads on a moment later. It is a slice of a list
        that all listeners share.
        """
        heard = list(self._cursor)
        texts: list[bytes] = []
        size = 0
        for place, message in enumerate(messages):
            if size >= AT_ONCE:
                self._write(texts, heard)
                texts, size = [], 0
            if self._paused or not self._open:
                self._left = messages[place:]
                return False
            if message.id <= heard[message.place]:
                continue
            heard[message.place] = message.id
            if message.kind in self._kinds:
                texts.append(b"id: %d.%d\n%b" % (heard[0], heard[1], message.text))
                size += len(message.text)
        self._write(texts, heard)
        return True

    def _write(self, texts: Sequence[bytes], heard: Sequence[int]) -> None:
        """Write several events at once: a write costs more than an event."""
        self._cursor = Cursor(*heard)
        if texts and self._open:
            self._request.write(b"".join(texts))

    def _catch_up(self) -> None:
        if not self._reading:
            Deferred.fromCoroutine(self._read())

    async def _read(self) -> None:
        """Read until the position of the feed is reached, then join the live listeners."""
        self._reading = True
        try:
            while self._open and not self._paused:
                if self._left:
                    left, self._left = self._left, ()
                    self._send(left)
                    continue
                position = self._feed.position
                if self._cursor.reaches(position):
                    self._feed.go_live(self)
                    return
                try:
                    part = await self._feed.read(self._cursor, self._kinds - {GAP}, self._areas)
                except StoreError:
                    await deferLater(self._clock, EVERY)
                    continue
                if self._send(part.messages) and not part.is_cut:
                    self._cursor = self._cursor.beyond(part.position)
        except Exception:
            self._log.failure("A listener is not told what it missed")
            self.end()
        finally:
            self._reading = False

    def _say_position(self) -> None:
        """Write a comment with the cursor, from which a client without any event can resume.

        No blank line follows, so that simple clients do not take it for an event without data.
        """
        if not self._paused:
            self._request.write(b": position %b\n" % str(self._cursor).encode())

    def _resumed(self) -> None:
        """Read what was missed, then join the live listeners."""
        self._feed.fall_behind(self)
        self._catch_up()

    def _closed(self) -> None:
        """Leave the feed."""
        self._left = ()
        self._beat.stopService()
        self._feed.leave(self)
