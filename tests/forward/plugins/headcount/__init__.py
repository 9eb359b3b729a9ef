"""A package of its own that only wants to see records: it writes down who was there.

It imports nothing of zkpush but `zkpush.plugin`.
"""

from __future__ import annotations

import pathlib

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.plugin.forwarder import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    ForwarderTarget,
    IDelivery,
    IForwarder,
    Outcome,
)


class HeadcountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to write, and what to be disturbed by."""

    file: str
    fails_while: str = ""
    """Path of a file; while it exists, the observer fails."""


@implementer(IDelivery)
class HeadcountDelivery:
    """Writes down what it sees."""

    def __init__(self, settings: HeadcountSettings) -> None:
        self._file = pathlib.Path(settings.file)
        self._fault = pathlib.Path(settings.fails_while)

    def deliver(self, batch: ForwardBatch) -> Deferred[Outcome]:
        """Write the ids and users of records."""
        if self._fault.is_file():
            raise RuntimeError("it does not feel well")
        with self._file.open("a") as out:
            out.writelines(f"{event.id} {event.data['pin']}\n" for event in batch.events)
        return succeed(Delivered())

    def close(self) -> None:
        """There is nothing to close."""


@implementer(IPlugin, IForwarder)
class Headcount:
    """An observer."""

    name = "headcount"
    summary = "A list of who was there"
    settings = HeadcountSettings
    limits = BatchLimits()
    makes_secret = False

    def check(self, settings: HeadcountSettings) -> None:
        """Anything goes."""

    def open(self, target: ForwarderTarget) -> IDelivery:
        """Begin to observe."""
        delivery: IDelivery = HeadcountDelivery(target.settings)
        return delivery
