"""Interface of forwarders, which deliver events to other programs; see docs/forwarding.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from ..values.forwarding import BatchLimits, ForwardBatch, ForwarderTarget, Outcome


class IForwarder(Interface):
    """A plugin that delivers events to one kind of receiver.

    The server does everything that is common to all kinds: it stores the position of each
    forwarder, makes batches, applies the rules, delivers in order and by one node at a time, tries
    again with growing pauses, finds and parks events that a receiver refuses, and shows all of it.
    """

    name: str = Attribute("The kind, a short word such as `webhook`")
    summary: str = Attribute("Where events of this kind go, for lists")
    settings: type[msgspec.Struct] = Attribute(
        "The settings of one forwarder. A field with `Meta(extra={'secret': True})` is never shown"
    )
    limits: BatchLimits = Attribute("The maximum size of a batch")
    makes_secret: bool = Attribute("Whether the server makes a secret for it, shown once")

    def check(settings: Any) -> None:
        """Check settings that were decoded by their type; `ValueError` says what to change."""

    def open(target: ForwarderTarget) -> IDelivery:
        """Prepare deliveries to one receiver. It must not block, and should not connect yet."""


class IPlacedForwarder(IForwarder):
    """A forwarder whose receiver is a place on the machine of the server, such as a folder."""

    def check_place(settings: Any) -> None:
        """Look whether the place is there when a forwarder is added; called on a thread.

        `settings` are as for `check`; `ValueError` says what is missing.
        """


class ISelectiveForwarder(IForwarder):
    """A forwarder that delivers some kinds of events only."""

    events: Sequence[str] = Attribute(
        "The kinds of events that it delivers, and those of a new forwarder that names none"
    )


class ICollectingForwarder(IForwarder):
    """A forwarder that collects events for some time before it delivers them together."""

    def collect_seconds(settings: Any) -> float:
        """Return the age of its first event, in seconds, at which a batch is made."""


class IDelivery(Interface):
    """Deliveries of one forwarder, one at a time."""

    def deliver(batch: ForwardBatch) -> Deferred[Outcome]:
        """Deliver a batch, and tell the outcome. Runs on the reactor and must not block.

        A batch may come again, after a crash for example, with the same ids. A Deferred that has
        not fired after half a minute is cancelled. An exception counts as `RetryLater`.
        """

    def close() -> None:
        """Close connections; called once, when no delivery is running."""
