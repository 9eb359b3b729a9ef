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

from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.internet.tcp import Connection, Port, Server

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


def use_spare_servers(port: IListeningPort, site: ServerFactory) -> None:
    """Let the connections of a port be of this kind, if they are plain TCP."""
    if isinstance(port, Port) and port.transport is Server and port.factory is site:
        port.transport = SpareServer
        port.socket = _Listening(port.socket)
        # The reactor knows a port by this; the number is the same.
        port.fileno = port.socket.fileno  # type: ignore[method-assign]
