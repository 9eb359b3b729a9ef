"""A connection of a person that a test holds at the management listener."""

from __future__ import annotations

from twisted.internet import reactor, task
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from ..rig import TOKEN, Response, Rig, Wire

AUTH = f"Authorization: Bearer {TOKEN}"


class Person:
    """One connection to the management site, byte by byte."""

    def __init__(self, rig: Rig, address: str = "192.0.2.7", wire: Wire | None = None) -> None:
        self.wire = wire or Wire(address)
        self.channel = rig.manage.buildProtocol(self.wire.getPeer())
        self.channel.makeConnection(self.wire)

    def send(self, *lines: str, body: bytes = b"") -> Person:
        """Send a whole head, and perhaps a part of the body."""
        return self.bytes("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def bytes(self, data: bytes) -> Person:
        """Send bytes."""
        self.channel.dataReceived(data)
        return self

    async def status(self) -> int:
        """The status of the reply."""
        while b"\r\n\r\n" not in self.wire.value():
            await self.wire.changed()
        return Response(self.wire.value()).status

    @property
    def is_cut(self) -> bool:
        """Whether the server has ended the connection."""
        return self.wire.closed or self.wire.disconnecting or self.wire.disconnected

    def leave(self) -> None:
        """Hang up."""
        self.channel.connectionLost(Failure(ConnectionDone()))

    def get(self, path: str, *headers: str) -> Person:
        """Ask for something."""
        return self.send(f"GET {path} HTTP/1.1", "Host: s", *headers)


async def a_turn() -> None:
    """Let the reactor run once."""
    await task.deferLater(reactor, 0)
