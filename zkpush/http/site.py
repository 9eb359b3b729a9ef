"""HTTP site: the factory of channels and their shared state."""

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
"""Number of oldest connections considered when one has to be closed for a new one."""
DRAIN_SECONDS = 5.0
"""Seconds that arriving requests and files being sent may take after `drain`."""
DRAIN_STEP = 0.05
Judge = Callable[[RequestHead], "Verdict | Deferred[Verdict]"]
"""Decides on a request by its head; never raises, and the Deferred never fails."""
Replied = Callable[[RequestHead, Verdict | None, Reply], object]
"""Called with a request, its verdict and the reply before it is sent; must not raise. The verdict
is None if the request exceeded a limit before it was judged."""
Answer = Callable[[Any, bytes], "Plain | Deferred[Reply]"]
"""Answers a request, given the judge's result and the body; never raises, and the Deferred never
fails."""


class HttpSite(ServerFactory):
    """Serves HTTP/1.x. Requests are never logged, because their targets may hold secrets."""

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
        """`struck` is called when a limit is exceeded; `wall` returns seconds since the epoch.

        `dates` tells whether a reply has a `Date`, where the judge leaves that open; None stands
        for a request that was not read.
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
        """Maximum number of connections; the application lowers it if file descriptors are few."""
        self.channels: dict[HttpChannel, None] = {}
        """The connections, oldest first."""
        self.tick = 0
        """Number of calls of `check_deadlines`, which happen once a second."""
        self.draining = False
        self.dates = dates
        self.replied = replied
        self.head = ReplyHeads(wall).head
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._leaving: list[Any] = []
        self.in_hand = 0
        """Number of complete requests that are not answered yet."""
        self._long = DeferredLock()
        self._drained: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> HttpChannel:
        """Return a channel for a new connection."""
        return HttpChannel(self, addr, awaits_proxy=False)

    @property
    def behind_proxy(self) -> ServerFactory:
        """The factory for `haproxy:` endpoints, whose connections begin with a PROXY header."""
        return _ProxiedConnections(self)

    @property
    def is_full(self) -> bool:
        """Whether the maximum number of connections is reached."""
        return len(self.channels) >= self.most_connections

    def make_room(self, channel: HttpChannel) -> bool:
        """End another connection for this one; False if none may be ended.

        Among the oldest, an idle connection goes first, then one whose request is not judged yet,
        then one whose accepted request is still arriving; connections that make way last go after
        the others. Within each rank, a connection of the address with the most connections goes
        first, so that strangers whose uploads are accepted displace each other. Requests that have
        arrived completely are always answered.
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
        """Count a connection of an address; False if that address has too many."""
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
        """Number of connections from a channel's address; 0 if many clients may share it."""
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
        """Answer a request with a long body, after earlier ones."""
        answer: Callable[..., Any] = self.answer
        running: Deferred[Reply] = self._long.run(answer, accepted, body)
        return running

    def close_soon(self, transport: Any) -> None:
        """Close an `UnwatchedConnection` after this reactor turn, once everything is sent.

        `loseConnection` would first register it and wait until it is writable.
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
        """End `drain` if the last request it waits for is answered."""
        if self.in_hand == 0 and self._drained is not None:
            drained, self._drained = self._drained, None
            drained.callback(None)

    async def drain(self) -> None:
        """Finish the requests in progress, then end all connections.

        Data in the socket buffers is read first. Arriving requests and files being sent have a few
        seconds to complete; clients request the rest of a file again.
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
        """Count a second and end overdue connections; called by the application."""
        self.tick += 1
        failed: Exception | None = None
        for channel in list(self.channels):
            try:
                channel.check_time(self.tick)
            except Exception as error:  # raised after the other channels
                failed = error
        if failed is not None:
            raise failed


class _ProxiedConnections(ServerFactory):
    """Creates channels for connections that begin with a PROXY header."""

    noisy = False

    def __init__(self, site: HttpSite) -> None:
        self._site = site

    def buildProtocol(self, addr: IAddress | None) -> HttpChannel:
        """Return a channel for a new connection."""
        return HttpChannel(self._site, addr, awaits_proxy=True)
