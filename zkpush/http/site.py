"""The terminals' site: the tree under /iclock, and the factory of the channels that serve it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import deferLater
from twisted.web.http import RESPONSES, datetimeToString

from ..clock import wall_clock
from ..config import Limits
from ..device.proxies import Proxies
from ..device.refusals import Refuse
from ..periodic import PeriodicService
from ..resources.base import Accepted
from ..resources.gate import RequestGate, Verdict
from .channel import TerminalChannel
from .messages import PLAIN, Plain, Reply, RequestHead
from .transport import UnwatchedServer

TICK_SECONDS = 1.0
MOST_LOOKED_AT = 100
"""Connections that are looked at, from the oldest, for one to end in the place of another."""
DRAIN_SECONDS = 5.0
"""How long what is on its way may take, once the daemon is to stop: requests, and files."""
DRAIN_STEP = 0.05
LONG = 256 * 1024
"""Requests with bodies above this many bytes are answered one after the other."""
MOST_HEADS = 256
"""Headers that are remembered, for a second at most: most replies are the same few."""


class TerminalSite(ServerFactory):
    """Serves terminals; nothing of a request is logged, because its target may hold secrets."""

    noisy = False
    transport = UnwatchedServer
    """What connections are of, on a port of ours where they are plain."""

    def __init__(
        self,
        gate: RequestGate,
        limits: Limits,
        proxies: Proxies,
        refused: Refuse,
        clock: IReactorTime,
    ) -> None:
        """`refused` is called with each limit that takes effect."""
        self.gate = gate
        self.limits = limits
        self.proxies = proxies
        self.has_proxies = bool(proxies)
        self.refused = refused
        self.body_bytes = limits.body_bytes
        self.head_bytes = limits.head_bytes
        self.most_connections = limits.connections
        """How many there may be; fewer, where the operating system says so."""
        self.channels: dict[TerminalChannel, None] = {}
        """The connections, the oldest first."""
        self._counts: dict[str, int] = {}
        self.tick = 0
        """Counts seconds, for what only needs to know about how long ago something was."""
        self.draining = False
        self._clock = clock
        self._wall = wall_clock(clock)
        self._date = (0, b"")
        self._heads: dict[tuple[int, str, bool, int, bytes], bytes] = {}
        self._leaving: list[Any] = []
        self._in_hand = 0
        self._long = DeferredLock()
        self._drained: Deferred[None] | None = None
        self.ticking = PeriodicService(clock)
        """Counts seconds, and ends idle connections: a part of the daemon that starts it."""
        self.ticking.every(TICK_SECONDS, self._turn, "Idle connections stay")

    def buildProtocol(self, addr: IAddress | None) -> TerminalChannel:
        """Take a connection."""
        return TerminalChannel(self, addr)

    @property
    def in_hand(self) -> int:
        """Requests that came whole and are not answered yet."""
        return self._in_hand

    @property
    def is_full(self) -> bool:
        """Whether there are as many connections as there may be."""
        return len(self.channels) >= self.most_connections

    def make_room(self, channel: TerminalChannel) -> bool:
        """End another connection for this one; False if none may be ended.

        Among the oldest, an idle connection goes first, then one whose request is not judged yet,
        then one whose accepted request is still coming. Of these, one of the address with the most
        connections goes first, so that strangers who upload under the serial number of an approved
        terminal take each other's places. What came whole is always answered.
        """
        found: TerminalChannel | None = None
        lowest = (0, 0)
        for other in itertools.islice(self.channels, MOST_LOOKED_AT):
            if other is channel or other.busy or other.leaving:
                continue
            rank = (other.progress, -self._crowd_of(other))
            if found is None or rank < lowest:
                found, lowest = other, rank
            if not found.progress:
                break
        if found is None:
            return False
        found.make_way()
        return True

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

    def _crowd_of(self, channel: TerminalChannel) -> int:
        """Connections from the address of one; 0 where many terminals may share it."""
        address = channel.counted
        if address is None or self.proxies.speaks_for_many(address):
            return 0
        return self._counts[address]

    def uncount(self, address: str) -> None:
        """Hear that a connection of an address has ended."""
        count = self._counts[address] - 1
        if count:
            self._counts[address] = count
        else:
            del self._counts[address]

    def judge(self, head: RequestHead) -> Verdict | Deferred[Verdict]:
        """Judge a request by its head, at once or later."""
        return self.gate.judge(head)

    def reply(self, accepted: Accepted, body: bytes) -> Plain | Deferred[Reply]:
        """Answer a request that was accepted and came whole, at once or later.

        Those with long bodies are answered one after the other.
        """
        if len(body) > LONG:
            answer: Callable[..., Any] = accepted.resource.reply
            running: Deferred[Reply] = self._long.run(answer, accepted, body)
            return running
        return accepted.resource.reply(accepted, body)

    def head(
        self, status: int, version: str, keep: bool, length: int, lines: bytes = PLAIN
    ) -> bytes:
        """The header of a reply, as terminals need it (wire facts, section 2).

        `lines` say what it is.
        """
        now = int(self._wall())
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
                transport.close_now()

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
        for channel in list(self.channels):
            channel.hang_up()

    def _turn(self) -> None:
        self.tick += 1
        failed: Exception | None = None
        for channel in list(self.channels):
            try:
                channel.check_time(self.tick)
            except Exception as error:  # the others have their turn
                failed = error
        if failed is not None:
            raise failed
