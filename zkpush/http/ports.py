"""Ports that accept few connections in each turn of the reactor, and share sockets in turns."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReadDescriptor
from twisted.internet.tcp import Server
from zope.interface import implementer

from .turns import Turns

MOST_WAITING = 1024
"""Length of the queue of connections to be accepted: all terminals of a site reconnect at once."""
MOST_AT_ONCE = 32
"""Connections that a port accepts in one turn of the reactor. Connections that make way for them
keep their descriptors until the end of that turn."""


@implementer(IListeningPort, IReadDescriptor)
class BoundedPort:
    """Accepts on a port of Twisted, at most `MOST_AT_ONCE` connections in a turn.

    `Port.numberAccepts` is undocumented. It saves no time; without it a burst of connections needs
    more file descriptors than there are. `tests/http/test_twisted.py` fails if Twisted drops it.
    """

    def __init__(self, port: Any, reactor: Any, turns: Turns | None = None) -> None:
        """`port` is open, and a `twisted.internet.tcp.Port`.

        `turns` says when this process accepts, where others share the port.
        """
        self._port = port
        self._reactor = reactor
        self._turns = turns
        self._port.transport = getattr(port.factory, "transport", Server)
        self._is_open = True
        port.stopReading()
        reactor.addReader(self)

    def startListening(self) -> None:
        """Do nothing: the port is open."""

    def stopListening(self) -> Deferred[None]:
        """Accept the connections that are waiting already, then close the port.

        Closing it resets them, and most have sent a request.
        """
        if self._is_open:
            self._is_open = False
            self._reactor.removeReader(self)
            self._port.numberAccepts = MOST_WAITING
            self._port.doRead()
        stopped: Deferred[None] = self._port.stopListening()
        return stopped

    def getHost(self) -> IAddress:
        """Return the address of the port."""
        host: IAddress = self._port.getHost()
        return host

    def fileno(self) -> int:
        """Return the descriptor of the port; -1 if it is closed."""
        return int(self._port.fileno())

    def logPrefix(self) -> str:
        """Return the name of the port in the log."""
        return str(self._port.logPrefix())

    def connectionLost(self, reason: Any) -> None:
        """Close the port, on an error of its descriptor."""
        self._is_open = False
        self._port.connectionLost(reason)

    def doRead(self) -> None:
        """Accept, or leave the connections to other processes for a while."""
        wait = 0.0 if self._turns is None else self._turns.wait()
        if wait:
            self._reactor.removeReader(self)
            self._reactor.callLater(wait, self._accept_if_needed, wait)
        else:
            self._accept()

    def _accept_if_needed(self, waited: float) -> None:
        if self._is_open:
            if self._turns is None or self._turns.is_needed(waited):
                self._accept()
            self._reactor.addReader(self)

    def _accept(self) -> None:
        port = self._port
        most = port.numberAccepts = min(port.numberAccepts, MOST_AT_ONCE)
        port.doRead()
        # Twisted raises the number if as many connections were waiting: then there may be more.
        if self._turns is not None and port.numberAccepts <= most:
            self._turns.found_nobody()


class PortOpener:
    """A reactor whose TCP ports are `BoundedPort`s."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Open a port."""
        opened = self._reactor.listenTCP(port, factory, backlog, interface)
        return BoundedPort(opened, self._reactor)

    def adopt(self, shared: socket.socket, factory: Any, turns: Turns) -> IListeningPort:
        """Accept on a copy of a listening socket, when it is the turn of this process."""
        opened = self._reactor.adoptStreamPort(shared.fileno(), shared.family, factory)
        return BoundedPort(opened, self._reactor, turns)
