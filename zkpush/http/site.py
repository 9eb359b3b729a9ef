"""A site: the factory of channels, with everything that they share."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import deferLater

from .channel import HttpChannel, ReplyHeads
from .messages import Plain, Reply, RequestHead, Verdict
from .settings import HttpLimits, Struck, TrustedProxies

MOST_LOOKED_AT = 100
"""Connections, from the oldest, among which one is chosen to make way for another."""
DRAIN_SECONDS = 5.0
"""How long requests that are arriving and files that are being sent may take after `drain`."""
DRAIN_STEP = 0.05
Judge = Callable[[RequestHead], "Verdict | Deferred[Verdict]"]
"""Decides on a request by its head; never raises, and the Deferred never fails."""
Replied = Callable[[RequestHead, Verdict | None, Reply], object]
"""Called with a request, the verdict on it and the reply, before that is sent. Must not raise. The
verdict is None if the request exceeded a limit before there was one."""
Answer = Callable[[Any, bytes], "Plain | Deferred[Reply]"]
"""Answers a request: what the judge returned, and the body. Never raises, nor fails."""


class HttpSite(ServerFactory):
    """Serves HTTP/1.x. Nothing of a request is logged, because its target may hold secrets."""

    noisy = False

    def __init__(
        self,
        judge: Judge,
        answer: Answer,
        limits: HttpLimits,
        proxies: TrustedProxies,
        struck: Struck,
        clock: IReactorTime,
        wall: Callable[[], float] = time.time,
        dates: Callable[[RequestHead | None], bool] = lambda head: True,
        replied: Replied = lambda head, verdict, reply: None,
    ) -> None:
        """`struck` is called when a limit strikes; `wall` returns the seconds since the epoch.

        `dates` tells whether the reply to a request has a `Date`, where the judge leaves that open;
        None is a request that was not read.
        """
        self.judge = judge
        self.answer = answer
        self.limits = limits
        self.proxies = proxies
        self.has_proxies = bool(proxies)
        self.struck = struck
        self.body_bytes = limits.body_bytes
        self.head_bytes = limits.head_bytes
        self.most_connections = limits.connections
        """Most connections; the application lowers it where there are few file descriptors."""
        self.channels: dict[HttpChannel, None] = {}
        """The connections, the oldest first."""
        self.tick = 0
        """Number of calls of `check_deadlines`, one a second."""
        self.draining = False
        self.dates = dates
        self.replied = replied
        self.head = ReplyHeads(wall).head
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._leaving: list[Any] = []
        self.in_hand = 0
        """Number of requests that have arrived whole and are not answered yet."""
        self._long = DeferredLock()
        self._drained: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> HttpChannel:
        """Make a channel for a connection."""
        return HttpChannel(self, addr, awaits_proxy=False)

    @property
    def behind_proxy(self) -> ServerFactory:
        """The factory for `haproxy:` endpoints, whose connections begin with a PROXY header."""
        return _ProxiedConnections(self)

    @property
    def is_full(self) -> bool:
        """Whether there are as many connections as there may be."""
        return len(self.channels) >= self.most_connections

    def make_room(self, channel: HttpChannel) -> bool:
        """End another connection for this one; False if none may be ended.

        Among the oldest, an idle connection goes first, then one whose request is not judged yet,
        then one whose accepted request is still arriving; those that make way last stay as long as
        there is another. Of each, one of the address with the most connections goes first, so that
        strangers whose uploads are accepted take each other's places. Requests that have arrived
        whole are always answered.
        """
        found: HttpChannel | None = None
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
        """Count a connection of an address; False if the address may have no more."""
        if address is None:
            return True
        count = self._counts.get(address, 0) + 1
        if count > self.limits.connections_per_address and not self.proxies.speaks_for_many(
            address
        ):
            return False
        self._counts[address] = count
        return True

    def _crowd_of(self, channel: HttpChannel) -> int:
        """Connections from the address of one; 0 where many clients may share it."""
        address = channel.counted
        if address is None or self.proxies.speaks_for_many(address):
            return 0
        return self._counts[address]

    def uncount(self, address: str) -> None:
        """Remove a connection of an address from the count."""
        count = self._counts[address] - 1
        if count:
            self._counts[address] = count
        else:
            del self._counts[address]

    def answer_long(self, accepted: Any, body: bytes) -> Deferred[Reply]:
        """Answer a request with a long body, after those that came before it."""
        answer: Callable[..., Any] = self.answer
        running: Deferred[Reply] = self._long.run(answer, accepted, body)
        return running

    def close_soon(self, transport: Any) -> None:
        """Close an `UnwatchedConnection`, of which everything has been sent, after this turn.

        `loseConnection` would register it first, and wait until it is writable.
        """
        self._leaving.append(transport)
        if len(self._leaving) == 1:
            self._clock.callLater(0, self._close)

    def _close(self) -> None:
        leaving, self._leaving = self._leaving, []
        for transport in leaving:
            if transport.connected:
                transport.close_now()

    def check_drained(self) -> None:
        """End `drain` if it awaits requests in hand and there are none any more."""
        if self.in_hand == 0 and self._drained is not None:
            drained, self._drained = self._drained, None
            drained.callback(None)

    async def drain(self) -> None:
        """Finish the requests in hand, then end all connections.

        Data that the sockets hold is read first. A request that is arriving and a file that is
        being sent have a few seconds to complete; clients ask again for the rest of a file.
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
        if self.in_hand:
            self._drained = Deferred()
            await self._drained
        for channel in list(self.channels):
            channel.hang_up()

    def check_deadlines(self) -> None:
        """Count a second, and end connections that take too long. The application calls this."""
        self.tick += 1
        failed: Exception | None = None
        for channel in list(self.channels):
            try:
                channel.check_time(self.tick)
            except Exception as error:  # after the other channels
                failed = error
        if failed is not None:
            raise failed


class _ProxiedConnections(ServerFactory):
    """Makes the channels of connections that begin with a PROXY header."""

    noisy = False

    def __init__(self, site: HttpSite) -> None:
        self._site = site

    def buildProtocol(self, addr: IAddress | None) -> HttpChannel:
        """Make a channel for a connection."""
        return HttpChannel(self._site, addr, awaits_proxy=True)
