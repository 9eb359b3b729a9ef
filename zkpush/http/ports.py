"""Listening ports that accept a few connections in each reactor turn, and may share sockets."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReadDescriptor
from twisted.logger import Logger
from zope.interface import implementer

from .site import HttpSite
from .transport import UnwatchedConnection, address_of
from .turns import Turns

MOST_WAITING = 1024
"""Length of the accept queue: all terminals of a site may reconnect at once."""
MOST_AT_ONCE = 32
"""Maximum connections accepted in one reactor turn. Connections closed to make way keep their
descriptors until the end of that turn."""


@implementer(IListeningPort, IReadDescriptor)
class BoundedPort:
    """Accepts at most `MOST_AT_ONCE` connections of a Twisted port in a reactor turn.

    Connections of an `HttpSite` are `UnwatchedConnection`s. Twisted accepts those of other
    factories, such as TLS, bounded by `Port.numberAccepts`, which is undocumented. It saves no
    time, but without it a burst of connections could exhaust the file descriptors.
    `tests/http/test_twisted.py` fails if Twisted drops it.
    """

    _log = Logger()

    def __init__(self, port: Any, reactor: Any, turns: Turns | None = None) -> None:
        """`port` is an open `twisted.internet.tcp.Port`.

        `turns` decides when this process accepts, if others share the port.
        """
        self._port = port
        self._reactor = reactor
        self._turns = turns
        self._is_plain = isinstance(port.factory, HttpSite)
        self._most = MOST_AT_ONCE
        """Number of connections expected in the next turn."""
        self._is_open = True
        port.stopReading()
        reactor.addReader(self)

    def startListening(self) -> None:
        """Do nothing, because the port is already open."""

    def stopListening(self) -> Deferred[None]:
        """Accept the waiting connections, then close the port.

        Closing would reset them, and most have already sent a request.
        """
        if self._is_open:
            self._is_open = False
            self._reactor.removeReader(self)
            if self._is_plain:
                self._accept_plain(MOST_WAITING)
            else:
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
        """Accept connections, or leave them to other processes for a while."""
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
        if self._is_plain:
            most = self._most
            count = self._accept_plain(most)
            has_more = count == most
            # One more attempt than there are connections costs a system call.
            self._most = min(2 * most, MOST_AT_ONCE) if has_more else max(1, count)
        else:
            most = port.numberAccepts = min(port.numberAccepts, MOST_AT_ONCE)
            port.doRead()
            # Twisted raises the number if as many were waiting.
            has_more = port.numberAccepts > most
        if self._turns is not None and not has_more:
            self._turns.found_nobody()

    def _accept_plain(self, most: int) -> int:
        """Accept up to `most` connections of an `HttpSite`; returns their number."""
        listening = self._port.socket
        for count in range(most):
            try:
                sock, name = listening.accept()
            except BlockingIOError:
                return count
            except OSError:
                # Twisted keeps a spare file descriptor for the case that none is left.
                self._port.doRead()
                return count
            self._serve(sock, name)
        return most

    def _serve(self, sock: socket.socket, name: tuple[Any, ...]) -> None:
        """Start a connection; a failure does not affect the next one."""
        try:
            peer = address_of(name)
            protocol = self._port.factory.buildProtocol(peer)
            transport = UnwatchedConnection(sock, peer, protocol, self._reactor)
        except Exception:
            self._log.failure("A connection was not accepted")
            sock.close()
            return
        try:
            protocol.makeConnection(transport)
        except Exception:
            self._log.failure("A connection did not begin")
            transport.abortConnection()


class PortOpener:
    """A reactor whose TCP ports are `BoundedPort`s."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Open a `BoundedPort`."""
        opened = self._reactor.listenTCP(port, factory, backlog, interface)
        return BoundedPort(opened, self._reactor)

    def adopt(self, shared: socket.socket, factory: Any, turns: Turns) -> IListeningPort:
        """Accept on a copy of a shared listening socket, as `turns` decides."""
        opened = self._reactor.adoptStreamPort(shared.fileno(), shared.family, factory)
        return BoundedPort(opened, self._reactor, turns)
