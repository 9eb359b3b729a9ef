"""The terminals' site: the tree under /iclock, and the factory of the channels that serve it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import LoopingCall, deferLater
from twisted.web.http import RESPONSES, datetimeToString
from twisted.web.resource import Resource
from twisted.web.server import Request

from ..config import Limits
from ..device.refusals import Refused
from ..protocol.errors import UnknownPath, refusal
from ..protocol.requests import normalize_segment
from .base import PLAIN, Nowhere, Plain, Reply, TerminalResource
from .channel import TerminalChannel
from .proxies import Proxies
from .transport import SpareServer

TICK_SECONDS = 1.0
MOST_LOOKED_AT = 100
"""Connections that are looked at, from the oldest, for one to end in the place of another."""
DRAIN_SECONDS = 5.0
"""How long what is on its way may take, once the daemon is to stop: requests, and files."""
DRAIN_STEP = 0.05
MOST_TARGETS = 1024
"""Spellings of paths that are remembered."""
MOST_HEADS = 256
"""Headers that are remembered, for a second at most: most replies are the same few."""
_NOTHING = (UnknownPath.status, refusal("There is nothing under this path."))


class IClock(Resource):
    """/iclock, however firmware writes it: other case, `.aspx`, doubled, ending in `/`."""

    def __init__(self, children: Mapping[str, TerminalResource]) -> None:
        super().__init__()
        self._named = {name.encode(): child for name, child in children.items()}

    def getChild(self, path: bytes, request: Request | None) -> Resource:
        """Find the resource of a path segment."""
        name = normalize_segment(path)
        if name == b"iclock":
            return self
        return self._named.get(name) or Nowhere()


class Root(Resource):
    """Everything is under /iclock."""

    def __init__(self, children: Mapping[str, TerminalResource]) -> None:
        super().__init__()
        self._iclock = IClock(children)

    def getChild(self, path: bytes, request: Request | None) -> Resource:
        """Find /iclock in any case."""
        return self._iclock if normalize_segment(path) == b"iclock" else Nowhere()

    def find(self, path: bytes) -> TerminalResource | None:
        """The resource of a whole path, as twisted.web would find it; None if there is none."""
        here: Resource = self
        segments = path.split(b"/")[1:]
        while segments:
            if here.isLeaf:
                if isinstance(here, TerminalResource) and (here.is_folder or segments == [b""]):
                    return here
                return None
            here = here.getChild(segments.pop(0), None)
        return here if isinstance(here, TerminalResource) else None


class TerminalSite(ServerFactory):
    """Serves terminals; nothing of a request is logged, because its target may hold secrets."""

    noisy = False
    transport = SpareServer
    """What connections are of, on a port of ours where they are plain."""

    def __init__(
        self,
        children: Mapping[str, TerminalResource],
        limits: Limits,
        proxies: Proxies,
        refused: Refused,
        clock: IReactorTime,
    ) -> None:
        """`refused` hears of every limit that strikes."""
        self.root = Root(children)
        self.limits = limits
        self.proxies = proxies
        self.has_proxies = bool(proxies)
        self.refused = refused
        self.body_bytes = limits.body_bytes
        self.head_bytes = limits.head_bytes
        self.most_connections = limits.connections
        """How many there may be; fewer, where the operating system says so."""
        self.bodies_bytes = 0
        """Bytes of bodies that are coming, of all connections together."""
        self.channels: dict[TerminalChannel, None] = {}
        """The connections, the oldest first."""
        self._counts: dict[str, int] = {}
        self.tick = 0
        """Counts seconds, for what only needs to know about how long ago something was."""
        self.draining = False
        self._clock = clock
        self._targets: dict[bytes, TerminalResource | None] = {}
        self._date = (0, b"")
        self._heads: dict[tuple[int, str, bool, int, bytes], bytes] = {}
        self._leaving: list[Any] = []
        self._in_hand = 0
        self._drained: Deferred[None] | None = None
        self._ticking = LoopingCall(self._turn)
        self._ticking.clock = clock

    def startFactory(self) -> None:
        """Begin to look for idle connections."""
        if not self._ticking.running:
            self._ticking.start(TICK_SECONDS, now=False)

    def buildProtocol(self, addr: IAddress | None) -> TerminalChannel:
        """Take a connection."""
        return TerminalChannel(self, addr)

    @property
    def is_full(self) -> bool:
        """Whether there are as many connections as there may be."""
        return len(self.channels) >= self.most_connections

    def make_room(self, channel: TerminalChannel) -> bool:
        """Whether there may be one too many: an idle one is ended for it.

        Terminals send at once: who is asked to make way has kept others out for longest.
        """
        for other in itertools.islice(self.channels, MOST_LOOKED_AT):
            if other is not channel and not other.busy and not other.leaving:
                other.make_way()
                return True
        return False

    def count(self, address: str | None) -> bool:
        """Count a connection of an address; whether it may have that one."""
        if address is None:
            return True
        count = self._counts.get(address, 0) + 1
        if count > self.limits.connections_per_address and not self.proxies.speaks_for_many(
            address
        ):
            return False
        self._counts[address] = count
        return True

    def uncount(self, address: str) -> None:
        """Hear that a connection of an address has ended."""
        count = self._counts[address] - 1
        if count:
            self._counts[address] = count
        else:
            del self._counts[address]

    def reply(
        self,
        method: str,
        target: bytes,
        body: bytes,
        address: str | None,
        range: bytes | None = None,
        cookie: bytes | None = None,
    ) -> Plain | Deferred[Reply]:
        """Answer a request, at once or later."""
        path, _, query = target.partition(b"?")
        try:
            resource = self._targets[path]
        except KeyError:
            resource = self.root.find(path)
            is_one = resource is not None and not resource.is_folder
            if is_one and len(self._targets) < MOST_TARGETS:
                self._targets[path] = resource
        if resource is None:
            return _NOTHING
        return resource.reply(method, path, query, body, address, range, cookie)

    def head(
        self, status: int, version: str, keep: bool, length: int, lines: bytes = PLAIN
    ) -> bytes:
        """The header of a reply, as terminals need it (wire facts, section 2).

        `lines` say what it is.
        """
        now = int(self._clock.seconds())
        if self._date[0] != now or len(self._heads) > MOST_HEADS:
            self._date = (now, datetimeToString(now))
            self._heads.clear()
        kind = (status, version, keep, length, lines)
        head = self._heads.get(kind)
        if head is None:
            head = self._heads[kind] = self._new_head(*kind)
        return head

    def _new_head(self, status: int, version: str, keep: bool, length: int, lines: bytes) -> bytes:
        return (
            b"HTTP/%b %d %b\r\nDate: %b\r\n%b"
            b"Content-Length: %d\r\nCache-Control: no-store\r\n%b\r\n"
        ) % (
            version.encode(),
            status,
            RESPONSES.get(status, b"Refused"),
            self._date[1],
            lines,
            length,
            b"" if keep else b"Connection: close\r\n",
        )

    def close_soon(self, transport: Any) -> None:
        """Close a socket that has nothing left to send, with others, when this turn is over.

        `loseConnection` would ask the operating system once more whether the socket can be
        written, for each of them.
        """
        self._leaving.append(transport)
        if len(self._leaving) == 1:
            self._clock.callLater(0, self._close)

    def _close(self) -> None:
        leaving, self._leaving = self._leaving, []
        for transport in leaving:
            if transport.connected:
                transport.end()

    def begin(self) -> None:
        """Hear that a request is in hand: it came whole, and will be answered."""
        self._in_hand += 1

    def end(self) -> None:
        """Hear that a request is answered."""
        self._in_hand -= 1
        if self._in_hand == 0 and self._drained is not None:
            drained, self._drained = self._drained, None
            drained.callback(None)

    async def drain(self) -> None:
        """Finish the requests in hand, then end all connections.

        In hand is also what is on its way: what the sockets hold is read first, and a request that
        has begun to come gets a few seconds to come whole. So does a file to leave: of the rest of
        one, terminals ask again.
        """
        self.draining = True
        patience = int(DRAIN_SECONDS / DRAIN_STEP)
        await deferLater(self._clock, 0)
        while any(channel.moving for channel in self.channels) and patience:
            patience -= 1
            await deferLater(self._clock, DRAIN_STEP)
        for channel in list(self.channels):
            if channel.leaving:
                channel.cut()
        if self._in_hand:
            self._drained = Deferred()
            await self._drained
        if self._ticking.running:
            self._ticking.stop()
        for channel in list(self.channels):
            channel.hang_up()

    def _turn(self) -> None:
        self.tick += 1
        for channel in list(self.channels):
            channel.check_time(self.tick)
