"""Connections that a test holds at the terminals' port, and terminals that are refused there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet import reactor
from twisted.internet.error import ConnectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from ..rig import Rig, Wire

LINE = b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n"
UPLOAD = "cdata?SN=%s&table=ATTLOG&Stamp=1"
LONG = 50_000_000
STRANGER, HOME = "198.51.100.66", "192.0.2.7"


class Caller:
    """A connection that a test holds."""

    def __init__(self, rig: Rig, raw: bytes, address: str = HOME) -> None:
        self.wire = Wire(address)
        self.channel = rig.terminals.buildProtocol(self.wire.getPeer())
        self.channel.makeConnection(self.wire)
        self.say(raw)

    def say(self, data: bytes) -> None:
        if not self.wire.disconnecting:
            self.channel.dataReceived(data)

    @property
    def reply(self) -> bytes:
        return self.wire.value()

    async def replied(self) -> bytes:
        while not self.reply:
            await self.wire.changed()
        return self.reply

    def leave(self) -> None:
        self.channel.connectionLost(Failure(ConnectionDone()))


def head(path: str, length: int = 0, *lines: str) -> bytes:
    """The head of a request; of an upload where it declares a body."""
    method = "POST" if length else "GET"
    every = [f"{method} /iclock/{path} HTTP/1.1", "Host: s", *lines]
    if length:
        every.append(f"Content-Length: {length}")
    return ("\r\n".join(every) + "\r\n\r\n").encode()


async def turns(count: int = 5) -> None:
    """Let the reactor turn."""
    for _ in range(count):
        await deferLater(reactor, 0)


async def closed(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as closed."""
    return await make_rig(admission="closed")


async def pending(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as pending."""
    rig = await make_rig(admission="approve")
    assert (await rig.exchange("X1")).status == 403
    return rig


async def blocked(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as blocked."""
    rig = await make_rig()
    await rig.exchange("X1")
    await rig.api("PATCH", "/devices/X1", {"state": "blocked"})
    return rig


async def misplaced(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as misplaced."""
    rig = await make_rig()
    await rig.exchange("X1")
    await rig.api("PATCH", "/devices/X1", {"networks": ["192.0.2.0/24"]})
    return rig


async def too_often(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as too often."""
    rig = await make_rig(limits={"requests_per_minute": 3})
    for _ in range(5):
        await rig.get("ping?SN=X1", address=STRANGER)
    return rig


async def flooded(make_rig: Callable) -> Rig:
    """A daemon at which X1 is refused, as flooded."""
    rig = await make_rig(admission="closed", limits={"unknown_per_minute": 1})
    await rig.get("ping?SN=X0", address=STRANGER)
    return rig


REFUSED = [
    (closed, 403),
    (pending, 403),
    (blocked, 403),
    (misplaced, 403),
    (too_often, 429),
    (flooded, 429),
]
refused_terminals = pytest.mark.parametrize(
    ("prepare", "status"), REFUSED, ids=[prepare.__name__ for prepare, _ in REFUSED]
)


# The cost of a refusal.


def counted(rig: Rig) -> list[str]:
    """The names of all reads and writes of the store from now on."""
    calls: list[str] = []
    for name in ("read", "write"):
        before = getattr(rig.store, name)

        def call(unit, name=name, before=before):
            calls.append(name)
            return before(unit)

        setattr(rig.store, name, call)
    return calls


MODES = ("approve", "open", "closed")
# Memory.

MIB = 2**20


def held(rig: Rig) -> int:
    """Bytes of the budget that are held now."""
    return rig.terminals.gate.budget.held
