"""The live stream of the console: parts of pages, rendered once for all who see the same.

Theory of operation. All consoles of a process are one listener of the feed, which reads the
database once a second while there is any. A part is rendered anew when an event of one of its kinds
has come, at most once a second, and only for the combinations of argument, language, zone, scopes
and areas that are open. Its text is sent to all consoles with that combination. Who joins gets the
parts at once. A console that does not read is disconnected; the browser connects again by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.server import Request

from ...clock import wall_clock
from ...periodic import PeriodicService
from ...phrases import Phrase
from ..connections import EndlessReplies
from ..feed import Feed, Message
from ..limits import refusal_of
from ..pushed import HEARTBEAT, PushedReply
from ..routes import Raw, Stream
from .pages import LivePart
from .security import HEADERS
from .visits import Visit

TICK = 1.0
"""Seconds between two looks at parts that change with time."""
RETRY = 3000
"""Milliseconds after which a disconnected browser connects again."""
_log = Logger()

Rendered = Callable[[LivePart, str | None, Visit], Awaitable[str]]
"""Renders a part with its argument."""
Living = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Returns the secrets whose sessions have not ended."""


@attrs.frozen
class PartKey:
    """What a rendering of a part depends on."""

    name: str
    """Name of the part with its argument."""
    language: str
    zone: str
    scopes: frozenset[Any]
    areas: frozenset[str] | None


class LiveHub(PeriodicService):
    """Renders live parts, and sends them to the open consoles."""

    def __init__(
        self,
        feed: Feed,
        parts: Mapping[str, LivePart],
        render: Rendered,
        living: Living,
        clock: Any,
        room: EndlessReplies,
    ) -> None:
        """`room` limits the number of consoles."""
        super().__init__(clock)
        self._living = living
        self._beat_at = 0.0
        self._feed = feed
        self._parts = parts
        self._render = render
        self._wall = wall_clock(clock)
        self._room = room
        self._consoles: dict[LiveConsole, Sequence[PartKey]] = {}
        self._visits: dict[PartKey, Visit] = {}
        self._due: set[PartKey] = set()
        self._running: set[PartKey] = set()
        self._rendered_at: dict[PartKey, float] = {}
        self.rendered = 0
        """Number of renderings."""
        self.every(TICK, self._tick, Phrase("Live pages show an old state"))

    def __len__(self) -> int:
        """Number of open consoles."""
        return len(self._consoles)

    @property
    def is_full(self) -> bool:
        """Whether there are as many consoles as allowed."""
        return not self._room.has_console

    def find(self, name: str) -> tuple[LivePart, str | None]:
        """Return a part and its argument by its name; `LookupError` if there is none."""
        plain, colon, argument = name.partition(":")
        return self._parts[plain], argument if colon else None

    async def join(self, console: LiveConsole, names: Sequence[str], visit: Visit) -> None:
        """Add a console, which gets the named parts now and after each change."""
        keys = [
            PartKey(name, visit.language.code, visit.zone.key, visit.scopes, visit.areas)
            for name in names
        ]
        is_first = not self._consoles
        self._consoles[console] = keys
        self._room.consoles = len(self._consoles)
        for key in keys:
            self._visits.setdefault(key, visit)
        self._due.update(keys)
        if is_first:
            end = await self._feed.end()
            if self._consoles:
                self._feed.join(self, end)
                self._feed.go_live(self)
        self._start_due()

    def leave(self, console: LiveConsole) -> None:
        """Remove a console."""
        self._consoles.pop(console, None)
        self._room.consoles = len(self._consoles)
        used = {key for keys in self._consoles.values() for key in keys}
        for key in [*self._visits]:
            if key not in used:
                del self._visits[key]
                self._due.discard(key)
                self._rendered_at.pop(key, None)
        if not self._consoles:
            self._feed.leave(self)

    def tell(self, messages: Sequence[Message]) -> None:
        """Note which parts have changed; called by the feed each second."""
        kinds = {message.kind for message in messages}
        for key in self._visits:
            part, _ = self.find(key.name)
            if not kinds.isdisjoint(part.kinds):
                self._due.add(key)

    def end(self) -> None:
        """End all streams; browsers connect again."""
        for console in [*self._consoles]:
            console.end()

    def _tick(self) -> None:
        now = self._clock.seconds()
        for key in self._visits:
            part, _ = self.find(key.name)
            last = self._rendered_at.get(key)
            if part.every is not None and last is not None and now - last >= part.every:
                self._due.add(key)
        self._start_due()
        if now - self._beat_at >= HEARTBEAT:
            self._beat_at = now
            Deferred.fromCoroutine(self._look()).addErrback(
                lambda failure: self._log.failure("Live pages are not looked at", failure)
            )

    async def _look(self) -> None:
        """Keep streams alive, and end those whose sessions have ended."""
        consoles = [*self._consoles]
        living = await self._living({console.secret for console in consoles})
        for console in consoles:
            if console.secret in living:
                console.beat()
            else:
                console.end()

    def _start_due(self) -> None:
        for key in [*self._due]:
            if key not in self._running:
                self._due.discard(key)
                self._running.add(key)
                Deferred.fromCoroutine(self._refresh(key))

    async def _refresh(self, key: PartKey) -> None:
        try:
            visit = self._visits[key]
            part, argument = self.find(key.name)
            self._rendered_at[key] = self._clock.seconds()
            text = await self._render(part, argument, visit)
            self.rendered += 1
            data = encode_part(key.name, text)
            for console, keys in [*self._consoles.items()]:
                if key in keys:
                    console.send(key, data)
        except Exception:
            self._log.failure("A live part is not rendered", part=key.name)
        finally:
            self._running.discard(key)


def encode_part(name: str, text: str) -> bytes:
    """Encode a part as a server-sent event."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines()) or "data: \n"
    return f"event: {name}\n{lines}\n".encode()


class LiveConsole(PushedReply):
    """The stream to one browser."""

    def __init__(self, hub: LiveHub, clock: Any, request: Request, secret: str) -> None:
        """`secret` is that of the session, whose end ends the stream."""
        super().__init__(request, clock)
        self.secret = secret
        self._hub = hub
        self._left: dict[PartKey, bytes] = {}
        self._begin()
        request.write(b"retry: %d\n\n" % RETRY)

    def send(self, key: PartKey, data: bytes) -> None:
        """Send a part; of a browser that is slow, only the last state of each part is kept."""
        if self._paused:
            self._left[key] = data
        elif self._open:
            self._request.write(data)

    def beat(self) -> None:
        """Keep the connection alive."""
        if self._open and not self._paused:
            self._request.write(b": \n\n")

    def _resumed(self) -> None:
        """Send what has changed meanwhile."""
        left, self._left = self._left, {}
        for key, data in left.items():
            self.send(key, data)

    def _closed(self) -> None:
        """Leave the others."""
        self._left = {}
        self._hub.leave(self)


def live_reply(hub: LiveHub, clock: Any, names: Sequence[str], visit: Visit) -> Stream | Raw:
    """Reply with the stream of the named parts of a page, or say why there is none."""
    if visit.visitor is None:
        return Raw("text/plain", b"", HTTPStatus.UNAUTHORIZED, HEADERS)
    secret = visit.visitor.secret
    for name in names:
        try:
            part, _ = hub.find(name)
        except LookupError:
            return Raw("text/plain", b"", HTTPStatus.NOT_FOUND, HEADERS)
        is_refused = visit.areas is not None and refusal_of(part.limited) is not None
        if is_refused or not visit.allows(part.scope):
            return Raw("text/plain", b"", HTTPStatus.FORBIDDEN, HEADERS)
    if hub.is_full or not names:
        return Raw("text/plain", b"", HTTPStatus.NO_CONTENT, HEADERS)

    def begin(running: Any) -> Any:
        console = LiveConsole(hub, clock, running, secret)
        Deferred.fromCoroutine(hub.join(console, names, visit)).addErrback(
            lambda failure: _log.failure("A live page was not joined", failure)
        )
        return console.end

    return Stream("text/event-stream", begin, {**HEADERS, "X-Accel-Buffering": "no"})
