"""Receivers of events: one in memory, as a plugin, and what drives the engine of a daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import deferLater
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.handlers.forward.service import ForwardEngine
from zkpush.interfaces import IDelivery, IForwarder
from zkpush.values.forwarding import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    ForwarderTarget,
    Outcome,
    RetryLater,
)

from ..rig import Rig

Answer = Callable[[ForwardBatch], Outcome | Deferred[Outcome]]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of a receiver in memory."""

    password: str = ""
    floor: int = 1


def takes(batch: ForwardBatch) -> Outcome:
    """Take everything."""
    return Delivered("thanks")


def down(batch: ForwardBatch) -> Outcome:
    """Be not there."""
    return RetryLater("nobody answers")


@implementer(IPlugin, IForwarder)
class Memory:
    """A kind of receiver in memory."""

    summary = "Memory of a test"
    settings = Settings
    makes_secret = False

    def __init__(self, answer: Answer = takes, limits: BatchLimits | None = None) -> None:
        """`answer` decides about each batch."""
        self.name = "memory"
        self.limits = limits or BatchLimits()
        self.answer: Answer = answer
        self.batches: list[ForwardBatch] = []
        """All that came, also what was not taken."""
        self.taken: list[ForwardBatch] = []
        self.targets: list[ForwarderTarget] = []
        self.open_deliveries = 0

    def check(self, settings: Any) -> None:
        """Check the settings."""
        if getattr(settings, "floor", 1) > 9:
            raise ValueError("floor: There are nine.")

    def open(self, target: ForwarderTarget) -> IDelivery:
        """Begin."""
        self.targets.append(target)
        self.open_deliveries += 1
        return MemoryDelivery(self)

    @property
    def ids(self) -> list[str]:
        """Ids of the events that were taken, in order."""
        return [event.id for batch in self.taken for event in batch.events]

    @property
    def pins(self) -> list[str]:
        """The users of the attendance records that were taken, in order."""
        return [event.data["pin"] for batch in self.taken for event in batch.events]


@implementer(IDelivery)
class MemoryDelivery:
    """Deliveries to a receiver in memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def deliver(self, batch: ForwardBatch) -> Deferred[Outcome]:
        """Ask the receiver."""
        self._memory.batches.append(batch)
        answered: Deferred[Outcome] = maybeDeferred(self._memory.answer, batch)

        def note(outcome: Outcome) -> Outcome:
            if isinstance(outcome, Delivered):
                self._memory.taken.append(batch)
            return outcome

        return answered.addCallback(note)

    def close(self) -> None:
        """End."""
        self._memory.open_deliveries -= 1


def engine_of(rig: Rig) -> ForwardEngine:
    """The engine of a daemon."""
    (engine,) = (job for job in rig.daemon.jobs if isinstance(job, ForwardEngine))
    return engine


async def turn(*rigs: Rig, seconds: float = 1.0) -> None:
    """Let time pass, and all deliveries that are due be made."""
    for rig in rigs:
        rig.clock.advance(seconds)
    for rig in rigs:
        await engine_of(rig).look()
    await happens(lambda: not any(engine_of(rig).is_delivering for rig in rigs))


async def happens(condition: Callable[[], bool]) -> None:
    """Wait for something that needs threads of the store, or another thread; no clock turns."""
    for _ in range(10_000):
        if condition():
            return
        await deferLater(reactor, 0.003)
    raise AssertionError("it did not happen")


async def turns(rig: Rig, count: int, seconds: float = 1.0) -> None:
    """Let time pass in steps."""
    for _ in range(count):
        await turn(rig, seconds=seconds)


async def add(rig: Rig, **more: Any) -> dict[str, Any]:
    """Add a forwarder to the receiver in memory."""
    body = {"name": "payroll", "kind": "memory", **more}
    made = await rig.api("POST", "/forwarders", body)
    assert made.status == 201, made.raw
    found: dict[str, Any] = made.json
    await engine_of(rig).look()
    return found


async def shown(rig: Rig, number: int = 1) -> dict[str, Any]:
    """A forwarder as the API shows it."""
    found: dict[str, Any] = (await rig.api("GET", f"/forwarders/{number}")).json
    return found


async def punch(
    rig: Rig, pins: Iterable[int], *, sn: str = "T1", time: str = "2026-03-01 13:00:00"
) -> None:
    """Upload punches of some users."""
    body = "".join(f"{pin}\t{time}\t0\t1\n" for pin in pins).encode()
    reply = await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", body)
    assert reply.status == 200, reply.raw
