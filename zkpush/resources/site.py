"""The terminals' site: the tree under /iclock, and the HTTP channel that serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource, Resource, getChildForRequest
from twisted.web.server import Request

from ..protocol.errors import TooLarge, refusal
from ..protocol.requests import normalize_segment
from .base import Nowhere, TerminalResource

IDLE_SECONDS = 60


class IClock(Resource):
    """/iclock, however firmware writes it: other case, `.aspx`, doubled, ending in `/`."""

    def __init__(self, children: Mapping[str, TerminalResource]) -> None:
        super().__init__()
        self._named = {name.encode(): child for name, child in children.items()}

    def getChild(self, path: bytes, request: Request) -> IResource:
        """Find the resource of a path segment."""
        name = normalize_segment(path)
        if name == b"iclock":
            return self
        return self._named.get(name) or Nowhere()


class Root(Resource):
    """Everything is under /iclock."""

    def __init__(self, iclock: IClock) -> None:
        super().__init__()
        self._iclock = iclock

    def getChild(self, path: bytes, request: Request) -> IResource:
        """Find /iclock in any case."""
        return self._iclock if normalize_segment(path) == b"iclock" else Nowhere()


class TerminalRequest(Request):
    """A request whose body stays in memory, within a limit."""

    channel: TerminalChannel

    def __init__(self, channel: TerminalChannel, *args: object) -> None:
        super().__init__(channel, *args, parsePOSTFormSubmission=False)
        self._room = channel.site.body_bytes
        self._too_large = False

    def gotLength(self, length: int | None) -> None:
        """Refuse a body that is declared too large before it is sent."""
        # Not a temporary file: what terminals send is not for a disk that nobody looks after.
        self.content = BytesIO()
        if length is not None and length > self._room:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """Take a part of the body; refuse one that turns out too large."""
        self._room -= len(data)
        if self._room < 0:
            self._refuse()
        if not self._too_large:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Go on with a complete request."""
        if not self._too_large:
            self.channel.site.begin(self)
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        if not self._too_large:
            self._too_large = True
            body = refusal("The body is larger than this server is configured to take.")
            self.channel.write(
                b"HTTP/1.1 %d Content Too Large\r\nContent-Type: text/plain\r\n"
                b"Content-Length: %d\r\nConnection: close\r\n\r\n%b"
                % (TooLarge.status, len(body), body)
            )
            self.channel.loseConnection()


class TerminalChannel(HTTPChannel):
    """A connection of a terminal."""

    requestFactory: Any = TerminalRequest

    def __init__(self, site: TerminalSite) -> None:
        super().__init__()
        self.site = self.factory = site
        self.timeOut = IDLE_SECONDS

    def callLater(self, period: float, func: Callable[[], object]) -> IDelayedCall:
        """Time out by the clock of the site."""
        return self.site.clock.callLater(period, func)

    def connectionMade(self) -> None:
        """Be known to the site, so that it can end idle connections."""
        self.site.channels.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be forgotten."""
        self.site.channels.discard(self)
        super().connectionLost(reason)


class TerminalSite(ServerFactory):
    """Serves terminals; nothing of a request is logged here, because its URI may hold secrets."""

    noisy = False
    displayTracebacks = False

    def __init__(
        self, children: Mapping[str, TerminalResource], body_bytes: int, clock: IReactorTime
    ) -> None:
        self.clock = clock
        self.body_bytes = body_bytes
        self.channels: set[TerminalChannel] = set()
        self._root = Root(IClock(children))
        self._in_hand = 0
        self._drained: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> TerminalChannel:
        """Take a connection."""
        return TerminalChannel(self)

    def getResourceFor(self, request: Request) -> IResource:
        """Find the resource of a request."""
        found: IResource = getChildForRequest(self._root, request)
        return found

    def log(self, request: Request) -> None:
        """Log nothing."""

    def begin(self, request: Request) -> None:
        """Hear that a request came whole; it is in hand until it is answered, or cut off."""
        self._in_hand += 1
        request.notifyFinish().addBoth(self._end)

    def _end(self, _: object) -> None:
        self._in_hand -= 1
        if self._in_hand == 0 and self._drained is not None:
            drained, self._drained = self._drained, None
            drained.callback(None)

    async def drain(self) -> None:
        """Finish the requests in hand, then end all connections."""
        if self._in_hand:
            self._drained = Deferred()
            await self._drained
        for channel in list(self.channels):
            channel.loseConnection()
