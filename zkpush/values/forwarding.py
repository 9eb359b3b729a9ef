"""Events, batches and outcomes of forwarding, as forwarders see them (docs/forwarding.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import attrs
import msgspec

WITHDRAWN = "withdrawn"
"""Last part of the type of an event that withdraws an earlier one, as in `attendance.withdrawn`."""


class ForwardedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event as it leaves the server: no template, no photo, no password."""

    id: str
    """Identity of the event. It never changes: a receiver recognises repeated events by it."""
    type: str
    """Kind of the event, such as `attendance`."""
    timestamp: str
    """When the server stored it; ISO 8601, UTC."""
    data: dict[str, Any]
    area: str | None = None
    """Area of its terminal when the server read it; None for none."""
    corrects: str | None = None
    """Id of the event whose data this one replaces or withdraws; None for an event of its own. The
    earlier event may be unknown to the receiver: then the correction is the first it sees of it."""

    @property
    def subject(self) -> str:
        """Id under which a receiver keeps the data: that of the first event about it."""
        return self.corrects or self.id

    @property
    def is_withdrawn(self) -> bool:
        """Whether the receiver is to remove the data."""
        return self.type.endswith(f".{WITHDRAWN}")


class ForwardBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Events that are delivered together, in order; the same at each attempt."""

    id: str
    made_at: int
    """When it was made, in milliseconds since the epoch."""
    events: Sequence[ForwardedEvent]


class BatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Maximum size of a batch; a single event may exceed `bytes`."""

    events: int = 100
    bytes: int = 16_000
    """Total length of the events, each encoded as JSON."""


@attrs.frozen
class Delivered:
    """The receiver has the events."""

    words: str = ""
    """What it answered."""
    parked: Mapping[str, str] = attrs.field(factory=dict)
    """Reasons, by event id, for events that this receiver can never take: they become dead letters,
    and do not hold up the others."""


@attrs.frozen
class RetryLater:
    """The receiver was not reached, or asks for patience; says nothing about the events."""

    reason: str
    seconds: float | None = None
    """The earliest next attempt, if the receiver said so."""


@attrs.frozen
class RefusedBatch:
    """The receiver answered with an error, which one of the events may have caused."""

    reason: str
    seconds: float | None = None


@attrs.frozen
class Gone:
    """The receiver wants no more events: the forwarder is stopped."""

    reason: str


Outcome = Delivered | RetryLater | RefusedBatch | Gone


class ReceiverDocuments(Protocol):
    """Names of the documents that a receiver has made of events, kept in the database.

    Calls raise `StoreError` if the database does not answer.
    """

    async def name(self, event_id: str) -> str | None:
        """Return the name of the document of an event; None if it is not known."""

    async def keep(self, event_id: str, name: str) -> None:
        """Store the name of the document of an event."""

    async def forget(self, event_id: str) -> None:
        """Remove the name of the document of an event."""


class NoDocuments:
    """Keeps nothing."""

    async def name(self, event_id: str) -> str | None:
        """Return None."""
        return None

    async def keep(self, event_id: str, name: str) -> None:
        """Drop the name."""

    async def forget(self, event_id: str) -> None:
        """Do nothing."""


@attrs.frozen(kw_only=True)
class ForwarderTarget:
    """What a forwarder gets when it opens a delivery."""

    name: str
    """Name that the operator gave it."""
    settings: Any
    """Value of the type that the forwarder declares."""
    secrets: Callable[[], Sequence[str]]
    """Returns the secrets to sign with now, the newest first: two during a rotation, none if the
    kind makes none."""
    clock: Any
    """The reactor, or a `Clock` in tests."""
    wall: Callable[[], float]
    """Returns the time of day, in seconds since the epoch."""
    documents: ReceiverDocuments = attrs.field(factory=NoDocuments)
    """Names of documents at the receiver, for kinds that change what they delivered."""
    own_folder: str = ""
    """Path of the server's data directory, where no forwarder may write."""
