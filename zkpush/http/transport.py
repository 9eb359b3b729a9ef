"""The connections of terminals: plain TCP, of which the reactor hears only if there is a need.

Most connections bring one request, which is there when they are accepted, and take one reply. To
tell the reactor of such a one, and to untell it, are two calls of the operating system and as much
again in Python. And a reply with which a connection ends leaves in one packet with that end, where
the operating system can be told that more follows.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import termios
from typing import Any

from twisted.internet.interfaces import IListeningPort, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection, Port, Server

from .turns import Turns

MOST_WAITING = 1024
"""Connections that may wait to be accepted: all terminals of a site come back at once."""
MOST_AT_ONCE = 32
"""Connections that a port accepts in one turn of the reactor. The descriptors of those that make
way for them are free only after that turn."""
_END_FOLLOWS = getattr(socket, "MSG_MORE", 0)
_MOST_THROWN_AWAY = 65536
_NOTHING = bytes(4)
"""How many bytes have come, as the operating system says it: none."""


class SpareServer(Server):
    """A connection that the reactor does not watch until something is to be waited for."""

    repstr = logstr = "connection of a terminal"
    _watched = False
    _shouldShutdown = False
    """No other process has the socket: closing it is its end."""

    def __init__(
        self,
        sock: socket.socket,
        protocol: Any,
        client: tuple[object, ...],
        server: Port,
        sessionno: int,
        reactor: Any,
    ) -> None:
        Connection.__init__(self, sock, protocol, reactor)
        if len(client) != 2:
            self._addressType = server._addressType
        self.server = server
        self.client = client
        self.sessionno = sessionno
        self.hostname = client[0]
        self.connected = 1

    def startReading(self) -> None:
        """Hear of what comes."""
        self._watched = True
        super().startReading()

    def startWriting(self) -> None:
        """Hear of room for what is to be sent."""
        self._watched = True
        super().startWriting()

    def stopReading(self) -> None:
        """Hear no more of what comes."""
        if self._watched:
            super().stopReading()

    def stopWriting(self) -> None:
        """Hear no more of room."""
        if self._watched:
            super().stopWriting()

    def send_now(self, data: bytes, *, last: bool) -> int:
        """Send what the socket takes at once, and tell how much; `last` is followed by the end."""
        try:
            return self.socket.send(data, _END_FOLLOWS if last else 0)
        except OSError:
            return 0

    def end(self) -> None:
        """Close the socket, which has nothing left to send."""
        # What has come unheard would take the reply along, which has not left yet.
        if fcntl.ioctl(self.socket, termios.FIONREAD, _NOTHING) != _NOTHING:
            with contextlib.suppress(OSError):
                self.socket.recv(_MOST_THROWN_AWAY)
        if self._watched:
            self.connectionLost(connectionDone)
            return
        sock, protocol = self.socket, self.protocol
        self.connected, self.disconnected = 0, 1
        del self.socket, self.fileno, self.protocol
        sock.close()
        protocol.connectionLost(connectionDone)


class _Listening(socket.socket):
    """A listening socket that makes a connection of the numbers it has, not of their names.

    The library looks up two enumerations for each, which costs as much as to accept it.
    """

    def __init__(self, other: socket.socket) -> None:
        self._kind = (int(other.family), int(other.type), other.proto)
        super().__init__(*self._kind, fileno=other.detach())

    def accept(self) -> tuple[Any, Any]:
        """The next connection, which is not inherited by other programs, and its address."""
        # What accept() of the library calls itself, and the only way to the bare number.
        handle, address = self._accept()  # type: ignore[attr-defined]
        return socket.SocketType(*self._kind, handle), address


class TerminalPort(Port):
    """A port that accepts a bounded number of connections in a turn.

    Plain connections of terminals are spare ones.
    """

    turns: Turns | None = None
    """Where other processes share the port: when this one accepts."""

    def startListening(self) -> None:
        """Listen."""
        super().startListening()
        self.transport = getattr(self.factory, "transport", Server)
        if self.transport is SpareServer:
            self.socket = _Listening(self.socket)
            # The reactor knows a port by this; the number is the same.
            self.fileno = self.socket.fileno  # type: ignore[method-assign]

    def stopListening(self, *reason: Any) -> Any:
        """Accept those who wait already, and then nobody any more.

        The system would reset their connections, on which most have sent a request.
        """
        if self.connected and not self.disconnecting:
            self.numberAccepts = MOST_WAITING
            super().doRead()
        return super().stopListening(*reason)

    def doRead(self) -> None:
        """Accept whoever waits, or leave them to other processes for a while."""
        wait = 0.0 if self.turns is None else self.turns.wait()
        if wait:
            self.stopReading()
            IReactorTime(self.reactor).callLater(wait, self._look, wait)
        else:
            self._accept()

    def _look(self, waited: float) -> None:
        if self.connected and not self.disconnecting:
            if self.turns is None or self.turns.is_needed(waited):
                self._accept()
            self.startReading()

    def _accept(self) -> None:
        most = self.numberAccepts = min(self.numberAccepts, MOST_AT_ONCE)
        super().doRead()
        # More are to be accepted the next time if there were as many as might be.
        if self.turns is not None and self.numberAccepts <= most:
            self.turns.found_nobody()


class TerminalReactor:
    """A reactor whose TCP ports are `TerminalPort`s."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Open a port."""
        opened = TerminalPort(port, factory, backlog, interface, self._reactor)
        opened.startListening()
        return opened

    def adopt(self, shared: socket.socket, factory: Any, turns: Turns) -> IListeningPort:
        """Accept on a copy of a socket that is listening, when it is this process's turn."""
        opened: TerminalPort = TerminalPort._fromListeningDescriptor(
            self._reactor, shared.fileno(), shared.family, factory
        )
        opened.turns = turns
        opened.startListening()
        return opened
