"""`GET events`: what happens, as server-sent events, for people and programs to follow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.web.server import Request
from zope.interface import implementer

from ..interfaces import IStore, StoreError
from ..model import GAP
from ..periodic import PeriodicService
from ..protocol.fields import Scope
from .errors import ApiError
from .feed import EVERY, Cursor, Feed, Message, RecordSource
from .routes import Route, Stream

HEARTBEAT = 15.0
"""Seconds between two signs of life, so that no proxy takes the connection for dead."""
PATIENCE = 30.0
"""Seconds that a listener may read nothing while there is something for it."""
AT_ONCE = 16 * 1024
"""About how many bytes are written before it is seen whether the listener takes them."""
RETRY = 1000
"""Milliseconds after which a listener that lost the connection is asked to come back."""
_HEADERS = {
    # nginx would keep events until it has many of them.
    "X-Accel-Buffering": "no",
}


class EventQuery(msgspec.Struct, frozen=True):
    """Which events are wanted."""

    kinds: str | None = None
    last_event_id: Annotated[
        str | None, Meta(description="For those who cannot send Last-Event-ID, which wins over it")
    ] = None


class EventEndpoints:
    """What the route of events does."""

    def __init__(
        self,
        store: IStore,
        clock: IReactorTime,
        most: int,
        records: RecordSource,
        kinds: Iterable[str],
    ) -> None:
        """There may be `most` listeners at the same time; `records` are events too.

        `kinds` are those of all other events.
        """
        self._kinds = records.kinds.union(kinds)
        self._default = self._kinds - records.on_request
        self._feed = Feed(store, clock, records)
        self._clock = clock
        self._most = most

    def routes(self) -> list[Route]:
        """The routes."""
        special = " and ".join(f"`{kind}`" for kind in sorted(self._kinds - self._default))
        words = f"Some of {','.join(sorted(self._kinds))}; by default all but {special}"
        query = msgspec.defstruct(
            EventQuery.__name__,
            [("kinds", Annotated[str | None, Meta(description=words)], None)],
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
                takes=("last_event_id",),
            ),
        ]

    async def events(self, query: EventQuery, last_event_id: str | None) -> Stream:
        """Tell what happens from now on, or after a cursor."""
        kinds = self._chosen(query.kinds)
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

        if len(self._feed) >= self._most:
            raise ApiError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"There are {self._most} readers of events already, which is the limit "
                "(limits.event_streams); try later.",
            )

        def begin(request: Request) -> Callable[[], None]:
            return EventListener(self._feed, self._clock, request, kinds, cursor or end, end).end

        return Stream("text/event-stream", begin, _HEADERS)

    def _chosen(self, text: str | None) -> Collection[str]:
        """The kinds that a query names; `ValueError` for an unknown one."""
        if text is None:
            return self._default
        kinds = frozenset(text.split(","))
        unknown = sorted(kinds - self._kinds)
        if unknown:
            raise ValueError(
                f"There are no events of the kind {unknown[0][:40]!r}; "
                f"there are {', '.join(sorted(self._kinds))}."
            )
        return kinds


@implementer(IPushProducer)
class EventListener:
    """One listener. It is told no more than it takes; what it has not taken is read again."""

    _log = Logger()

    def __init__(
        self,
        feed: Feed,
        clock: IReactorTime,
        request: Request,
        kinds: Collection[str],
        cursor: Cursor,
        end: Cursor,
    ) -> None:
        """Begin to tell `kinds` of what is after a cursor; `end` is one that is reached already."""
        self._feed = feed
        self._clock = clock
        self._request = request
        self._kinds = frozenset({*kinds, GAP})
        self._cursor = cursor
        self._named = cursor
        self._open = True
        self._paused = False
        self._reading = False
        self._left: Sequence[Message] = ()
        self._patience: IDelayedCall | None = None
        self._beat = PeriodicService(clock)
        self._beat.every(HEARTBEAT, self._say_alive, "A listener is not kept alive")
        self._beat.startService()
        request.notifyFinish().addBoth(lambda _: self._close())
        request.registerProducer(self, True)
        # Who is cut off before anything has happened can go on from here.
        request.write(b"retry: %d\nid: %b\n\n" % (RETRY, str(cursor).encode()))
        feed.join(self, end)
        self._catch_up()

    def tell(self, messages: Sequence[Message]) -> None:
        """Take what has happened since the last time."""
        if not self._send(messages):
            self._feed.fall_behind(self)

    def _send(self, messages: Sequence[Message]) -> bool:
        """Send what is wanted, and was not heard; whether all of it was sent.

        The rest waits: most often the listener takes it a moment later. It is part of one part at
        most, which all listeners share.
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
        """Send several events as one piece: a piece costs more than an event."""
        self._cursor = Cursor(*heard)
        if texts and self._open:
            self._named = self._cursor
            self._request.write(b"".join(texts))

    def _catch_up(self) -> None:
        if not self._reading:
            Deferred.fromCoroutine(self._read())

    async def _read(self) -> None:
        """Read until the position of the feed is reached; then it is told with all others."""
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
                    part = await self._feed.read(self._cursor, self._kinds - {GAP})
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

    def _say_alive(self) -> None:
        """A comment; and how far the listener is, if nothing that it wants has said so."""
        if not self._paused:
            id_ = b"" if self._named == self._cursor else b"id: %b\n" % str(self._cursor).encode()
            self._named = self._cursor
            self._request.write(b": alive\n%b\n" % id_)

    def pauseProducing(self) -> None:
        """Hear that the listener does not read as fast as it is told."""
        self._paused = True
        if self._open and self._patience is None:
            self._patience = self._clock.callLater(PATIENCE, self._abort)

    def resumeProducing(self) -> None:
        """Hear that it reads again."""
        self._paused = False
        self._stop_waiting()
        if self._open:
            self._feed.fall_behind(self)
            self._catch_up()

    def stopProducing(self) -> None:
        """Hear that it is gone."""
        self._close()

    def end(self) -> None:
        """End the reply, and the connection with it."""
        if self._open:
            channel = self._request.channel
            self._close()
            self._request.unregisterProducer()
            self._request.finish()
            channel.loseConnection()

    def _abort(self) -> None:
        """Give up a listener that does not read; it can go on from the last id that it has."""
        self._patience = None
        if self._open:
            self._close()
            cast(Any, self._request.transport).abortConnection()

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._left = ()
            self._stop_waiting()
            self._beat.stopService()
            self._feed.leave(self)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
