"""A terminal that is asked for one thing after the other, and what it answers."""

from __future__ import annotations

import re

from twisted.internet.task import Clock

from zkpush.protocol.fields import Table
from zkpush.simulator.faults import Faults
from zkpush.simulator.model import ATT, Model
from zkpush.simulator.terminal import SimulatedTerminal

from .network import Network
from .script import OPTIONS, Script

HYBRID = (
    OPTIONS.replace(b"ATTLOGStamp=0", b"ATTLOGStamp=7")
    + b"PushProtVer=2.4.1\nMultiBioDataSupport=0:1:1:1:1:1:1:1:1:1\n"
    + b"MultiBioPhotoSupport=0:1:1:1:1:1:1:1:1:1\n"
)
"""An option reply of a server that takes every type in the unified form."""


class Asked:
    """A terminal of a model, with two users, and a server that asks what a test says."""

    def __init__(
        self,
        model: Model = ATT,
        *,
        exchange: bytes = HYBRID,
        faults: Faults | None = None,
        users: int = 2,
        **script: object,
    ) -> None:
        self.script = Script(exchange=exchange, getrequest=b"OK", **script)
        self.clock = Clock()
        network = Network(self.script.site)
        self.terminal: SimulatedTerminal = network.terminal(
            self.clock, users=users, model=model, faults=faults
        )
        self.asked = 0

    async def ask(self, *texts: str | bytes) -> list[bytes]:
        """Let the server ask for these things in one poll; the bodies of the answers."""
        if not self.terminal.told:
            await self.terminal.exchange()
        lines = b""
        for text in texts:
            self.asked += 1
            raw = text.encode() if isinstance(text, str) else text
            lines += b"C:%d:%b\n" % (self.asked, raw)
        self.script.say("getrequest", lines)
        before = len(self.script.answers)
        await self.terminal.poll()
        return self.script.answers[before:]

    async def codes(self, *texts: str | bytes) -> list[int]:
        """The return codes of the answers."""
        return [int(re.search(rb"Return=(-?\d+)", body)[1]) for body in await self.ask(*texts)]

    def held(self, table: Table, *names: str) -> list[tuple[object, ...]]:
        """Some values of what the terminal holds of a table."""
        forms = [record.own.values for record in self.terminal.outbox.held(table)]
        return sorted(tuple(values.get(name) for name in names) for values in forms)
