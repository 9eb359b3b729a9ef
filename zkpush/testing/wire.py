"""Connections in memory: raw bytes from a client, and the reply of a server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import ServerFactory
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

TIMEOUT = 20
"""Real seconds after which a missing reply fails the test."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Wire(StringTransport):
    """A connection in memory that signals when its server writes or closes it."""

    def __init__(self, address: str) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", address, 40000))
        self.closed = False
        self._waiting: list[Deferred[None]] = []

    def write(self, data: bytes) -> None:
        """Store data from the server."""
        super().write(data)
        self._tell()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Store data from the server."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Record that the server closes the connection."""
        super().loseConnection()
        self.closed = True
        self._tell()

    def changed(self) -> Deferred[None]:
        """Return a Deferred of the next write or close; it fails after `TIMEOUT`."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting.addTimeout(TIMEOUT, reactor)

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            # Not at once: the server is in the middle of its write.
            reactor.callLater(0, deferred.callback, None)


class Response:
    """A parsed reply."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.head = head + b"\r\n\r\n"
        self.status_line, *lines = head.split(b"\r\n")
        self.status = int(self.status_line.split(b" ")[1])
        self.headers = [tuple(line.split(b": ", 1)) for line in lines]
        if self.header(b"Transfer-Encoding") == b"chunked":
            self.body = b"".join(_chunks(self.body))

    @property
    def json(self) -> Any:
        """Decode the JSON body of an API reply."""
        return json.loads(self.body)

    def header(self, name: bytes) -> bytes | None:
        """Return a header, by its exact case."""
        return next((value for key, value in self.headers if key == name), None)


def _chunks(body: bytes) -> Iterator[bytes]:
    """Join the chunks of a body; `ValueError` if it does not end."""
    while body:
        size, _, rest = body.partition(b"\r\n")
        end = int(size, 16)
        if end == 0:
            return
        yield rest[:end]
        body = rest[end + 2 :]
    raise ValueError("a chunked body is cut")


async def talk(site: ServerFactory, raw: bytes, address: str = "192.0.2.7") -> Response:
    """Send bytes on a new connection, and return the reply once it is complete."""
    wire = Wire(address)
    channel: Any = site.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(raw)
    while not is_whole(wire):
        await wire.changed()
    channel.connectionLost(Failure(ConnectionDone()))
    return Response(wire.value())


async def everything(site: ServerFactory, raw: bytes, address: str = "192.0.2.7") -> bytes:
    """Send bytes on a new connection, and return everything written until the server closes it."""
    wire = Wire(address)
    channel: Any = site.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(raw)
    while not wire.closed:
        await wire.changed()
    channel.connectionLost(Failure(ConnectionDone()))
    written: bytes = wire.value()
    return written


def is_whole(wire: Wire, *, is_head: bool = False) -> bool:
    """Whether a complete reply was written, or the connection is closed."""
    written = wire.value().removeprefix(CONTINUE)
    head, ended, body = written.partition(b"\r\n\r\n")
    if wire.closed or is_head or not ended:
        return wire.closed or bool(ended)
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name == b"Content-Length":
            return len(body) >= int(value)
        if (name, value) == (b"Transfer-Encoding", b"chunked"):
            return bool(body.endswith(b"0\r\n\r\n"))
    return b" 204 " in head
