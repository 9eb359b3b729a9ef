"""TCP connections that the reactor watches only while they wait for something.

Most connections carry one request, which has arrived when they are accepted, and one reply.
Twisted's own class registers each of them with the operating system twice, once to read and once to
write, waits for both, and shuts each down before it closes it. `UnwatchedConnection` is built on
`FileDescriptor`, Twisted's documented base of such classes. It reads when it is accepted, writes at
once as much as the socket takes, and registers only for the rest. `README.md` has the figures.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IProtocol, IReactorTime
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

_MOST_DISCARDED = 65536
_MOST_SENT = 128 * 1024
_END_FOLLOWS = getattr(socket, "MSG_MORE", 0)
_NOTHING = bytes(4)
"""Result of `FIONREAD` if no byte has arrived."""
_RESET = struct.pack("ii", 1, 0)
"""Value of `SO_LINGER` that resets a connection on closing."""
Address = IPv4Address | IPv6Address


class UnwatchedConnection(FileDescriptor):
    """A server connection that registers with the reactor only when it has to wait.

    The protocol calls `doRead` in `connectionMade`, and `startReading` if the connection stays.
    """

    _watched = False
    _aborting = False

    def __init__(
        self, sock: socket.socket, peer: Address, protocol: IProtocol, reactor: Any
    ) -> None:
        """`sock` is a connected socket."""
        super().__init__(reactor)
        sock.setblocking(False)
        self.connected = 1
        self._socket = sock
        self._peer = peer
        self._protocol = protocol

    def fileno(self) -> int:
        """Return the descriptor of the socket; -1 if it is closed."""
        return self._socket.fileno()

    def getPeer(self) -> Address:
        """Return the address of the client."""
        return self._peer

    def getHost(self) -> Address:
        """Return the address of this side."""
        return address_of(self._socket.getsockname())

    def logPrefix(self) -> str:
        """Return the name of the connection in the log."""
        return "connection"

    def startReading(self) -> None:
        """Register for incoming data."""
        self._watched = True
        super().startReading()

    def startWriting(self) -> None:
        """Register for room in the send buffer."""
        self._watched = True
        super().startWriting()

    def stopReading(self) -> None:
        """Unregister for incoming data."""
        if self._watched:
            super().stopReading()

    def stopWriting(self) -> None:
        """Unregister for room in the send buffer."""
        if self._watched:
            super().stopWriting()

    def doRead(self) -> Exception | None:
        """Pass received data to the protocol; return the reason if the connection has ended."""
        if self._aborting:
            return None
        try:
            data = self._socket.recv(self.bufferSize)
        except BlockingIOError:
            return None
        except OSError:
            return CONNECTION_LOST
        if not data:
            return CONNECTION_DONE
        self._protocol.dataReceived(data)
        return None

    def doWrite(self) -> Exception | None:
        """Send buffered data; return the reason if the connection has ended."""
        return None if self._aborting else super().doWrite()

    def writeSomeData(self, data: bytes) -> int | Exception:
        """Send as much as the socket takes; return the number of bytes, or the error."""
        try:
            return self._socket.send(memoryview(data)[:_MOST_SENT])
        except BlockingIOError:
            return 0
        except OSError:
            return CONNECTION_LOST

    def send_now(self, data: bytes, *, last: bool) -> int:
        """Send at once; return the number of bytes that the socket took.

        Call this only before the first `write`, whose data it would overtake. With `last`, the data
        shares a packet with the end of the connection, which must follow in this turn.
        """
        try:
            return self._socket.send(data, _END_FOLLOWS if last else 0)
        except OSError:
            return 0

    def close_now(self) -> None:
        """Close the connection, once everything is sent.

        Must not be called from `doRead` of this connection, which the reactor still processes.
        """
        # If the socket is closed with unread data, the peer gets a reset and may lose the reply.
        try:
            unread = fcntl.ioctl(self._socket, termios.FIONREAD, _NOTHING)
            if unread != _NOTHING:
                self._socket.recv(_MOST_DISCARDED)
        except OSError:
            pass  # it is closed in any case
        self.connectionLost(connectionDone)

    def abortConnection(self) -> None:
        """Reset the connection after this turn; discard unsent data."""
        if self.disconnected or self._aborting:
            return
        self._aborting = True
        self.stopReading()
        self.stopWriting()
        IReactorTime(self.reactor).callLater(0, self.connectionLost, Failure(ConnectionAborted()))

    def connectionLost(self, reason: Failure) -> None:
        """Close the socket and notify the protocol."""
        if self.disconnected:
            return
        super().connectionLost(reason)
        try:
            if self._aborting:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._socket.close()
        except OSError:
            pass  # the client has closed it
        protocol = self._protocol
        del self._protocol  # break the reference cycle
        protocol.connectionLost(reason)


def address_of(name: tuple[Any, ...]) -> Address:
    """Return the address for a socket name: `(host, port)`, with more parts for IPv6."""
    if len(name) == 2:
        return IPv4Address("TCP", *name)
    # The interface name of a link-local address is part of the address.
    host, _ = socket.getnameinfo(name, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
    return IPv6Address("TCP", host, *name[1:])
