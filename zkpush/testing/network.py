"""A network in memory: the HTTP client of the simulator against a server, without ports."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import deferLater
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from ..crypto.terminal import TerminalCipher
from ..simulator.faults import Faults, Mischief
from ..simulator.link import Link
from ..simulator.model import ATT, Model
from ..simulator.terminal import SimulatedTerminal
from .wire import TIMEOUT

SERVER = "http://server:8081"
ADDRESS = IPv4Address("TCP", "192.0.2.7", 40000)
MANY_TURNS = 10_000
MANY_REQUESTS = 1_000


class End(StringTransport):
    """One end of a connection; data written here arrives at the other end a moment later."""

    def __init__(self, network: Network, protocol: Any) -> None:
        super().__init__(hostAddress=ADDRESS, peerAddress=ADDRESS, lenient=True)
        self.network = network
        self.protocol = protocol
        self.other: End
        self._coming = False

    def write(self, data: bytes) -> None:
        """Send data to the other end."""
        super().write(data)
        self._come()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send data to the other end."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close the connection, after pending data."""
        super().loseConnection()
        self._come()

    def _come(self) -> None:
        if not self._coming:
            self._coming = True
            reactor.callLater(0, self._go)

    def _go(self) -> None:
        self._coming = False
        if not self.connected:
            return
        data = self.value()
        self.clear()
        if data:
            self.other.protocol.dataReceived(data)
        if self.disconnecting:
            self._hang_up()

    def _hang_up(self) -> None:
        ends = (self, self.other)
        for end in ends:
            end.connected = False
        for end in ends:
            end.protocol.connectionLost(Failure(ConnectionDone()))
        self.network.ended()


@implementer(IAgentEndpointFactory)
class Network:
    """Connects every URL to one server, or refuses connections without one."""

    def __init__(self, server: ServerFactory | None) -> None:
        self.server = server
        self.connections = 0
        """Number of open connections."""
        self._quiet: Deferred[None] | None = None
        pool = HTTPConnectionPool(reactor, persistent=False)
        self.agent = Agent.usingEndpointFactory(reactor, self, pool=pool)

    def endpointForURI(self, uri: object) -> Network:
        """Return the endpoint for a URL."""
        return self

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect a client."""
        if self.server is None:
            return fail(ConnectionRefusedError())
        self.connections += 1
        here: Any = End(self, factory.buildProtocol(ADDRESS))
        there: Any = End(self, self.server.buildProtocol(ADDRESS))
        here.other, there.other = there, here
        there.protocol.makeConnection(there)
        here.protocol.makeConnection(here)
        return succeed(here.protocol)

    def ended(self) -> None:
        """Count the end of a connection."""
        self.connections -= 1
        if self._quiet is not None:
            quiet, self._quiet = self._quiet, None
            reactor.callLater(0, quiet.callback, None)

    async def quiet(self) -> None:
        """Wait until no connection is open; the clock stands still meanwhile."""
        for _ in range(MANY_REQUESTS):
            if not self.connections:
                return
            self._quiet = Deferred()
            await self._quiet.addTimeout(TIMEOUT, reactor)
        raise AssertionError("there are requests without end, at one moment")

    def terminal(
        self,
        clock: IReactorTime,
        *,
        sn: str = "SIM1",
        users: int = 1,
        model: Model = ATT,
        faults: Faults | None = None,
        encrypt: bool = False,
    ) -> SimulatedTerminal:
        """Make a terminal on this network, with optional faults."""
        chance = random.Random(sn)  # noqa: S311 - the same in each run
        return SimulatedTerminal(
            sn,
            users,
            Link(self.agent, SERVER, sn, clock, TerminalCipher(sn) if encrypt else None),
            clock,
            chance,
            model=model,
            mischief=None if faults is None else Mischief(faults, chance),
        )


async def until(happened: Callable[[], bool]) -> None:
    """Run the reactor until a condition holds."""
    for _ in range(MANY_TURNS):
        if happened():
            return
        await deferLater(reactor, 0)
    raise AssertionError("it did not happen")
