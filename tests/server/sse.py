"""A listener of `GET events`, in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from ..rig import TOKEN, Rig, Wire

Told = tuple[str, str, dict[str, Any]]
"""The id, kind and data of an event."""


def chunks(body: bytes) -> bytes:
    """What a chunked body holds so far (RFC 9112, 7.1)."""
    content = b""
    while b"\r\n" in body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if not length or len(rest) < length + 2:
            break
        content, body = content + rest[:length], rest[length + 2 :]
    return content


class Listening:
    """One connection that listens."""

    def __init__(
        self,
        rig: Rig,
        query: str = "",
        last: str | None = None,
        *,
        token: str = TOKEN,
        method: str = "GET",
    ) -> None:
        self.rig = rig
        self.wire = Wire("192.0.2.9")
        self._channel = rig.manage.buildProtocol(self.wire.getPeer())
        self._channel.makeConnection(self.wire)
        head = [f"{method} /api/v1/events{query} HTTP/1.1", "Host: server"]
        head.append(f"Authorization: Bearer {token}")
        if last is not None:
            head.append(f"Last-Event-ID: {last}")
        self._channel.dataReceived("\r\n".join(head).encode() + b"\r\n\r\n")

    @property
    def head(self) -> bytes:
        """The header of the reply."""
        return self.wire.value().partition(b"\r\n\r\n")[0]

    @property
    def text(self) -> str:
        """What was told, as it was written."""
        return chunks(self.wire.value().partition(b"\r\n\r\n")[2]).decode()

    @property
    def blocks(self) -> list[dict[str, str]]:
        """The fields of each block."""
        return [
            dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            for block in self.text.split("\n\n")[:-1]
        ]

    @property
    def told(self) -> list[Told]:
        """The events."""
        return [
            (block["id"], block["event"], json.loads(block["data"]))
            for block in self.blocks
            if "data" in block
        ]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the events."""
        return [kind for _, kind, _ in self.told]

    @property
    def pins(self) -> list[str]:
        """The users of the attendance records."""
        return [data["pin"] for _, kind, data in self.told if kind == "attendance"]

    @property
    def last(self) -> str:
        """The id to go on from: of the last event, or of a comment after it."""
        lines = [line.split(" ") for line in self.text.splitlines()]
        return [
            words[-1] for words in lines if words[0] == "id:" or words[:2] == [":", "position"]
        ][-1]

    async def until(self, true: Callable[[], object]) -> None:
        """Wait, without that time passes, until something is written that makes it true."""
        while not true():
            await self.wire.changed()

    async def begun(self) -> Listening:
        """Wait until it listens."""
        await self.until(lambda: ": position " in self.text)
        return self

    async def hear(self, count: int) -> list[Told]:
        """Wait for so many events in all, a second or more passing."""
        for _ in range(100):
            if len(self.told) >= count:
                return self.told
            self.rig.clock.advance(1)
            for _ in range(3):
                await self.rig.store.read(lambda tx: None)
        raise AssertionError(f"heard {self.told}")

    def hang_up(self) -> None:
        """Go away."""
        self._channel.connectionLost(Failure(ConnectionDone()))
