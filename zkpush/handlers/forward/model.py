"""Values of forwarding: forwarders, their rules, pending batches and dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...values.forwarding import ForwardedEvent


class ForwarderState(StrEnum):
    """Whether a forwarder delivers."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> ForwarderState:
        """Declare a state with its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    ACTIVE = "active", "Events are delivered"
    PAUSED = "paused", "An operator has paused it; its events are kept"
    STOPPED = "stopped", "The receiver wants no more events; resume it when that has changed"


STATES = {one.value: one for one in ForwarderState}


class ForwardRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which events a forwarder delivers, and how they look."""

    devices: Annotated[
        Sequence[str] | None, Meta(description="Serial numbers of terminals; null for all")
    ] = None
    since: Annotated[
        str | None,
        Meta(
            description="ISO 8601. Earlier punches are left out, by their own time; by default, "
            "those from before the forwarder was made"
        ),
    ] = None


class SigningSecret(msgspec.Struct, frozen=True):
    """A secret of a forwarder."""

    secret: str
    until: int | None = None
    """End of its validity (ms); None for the current one."""


class StoredForwarder(msgspec.Struct, frozen=True, kw_only=True):
    """A forwarder, with the position up to which its events are queued."""

    id: int
    name: str
    kind: str
    state: ForwarderState
    reason: str | None
    """Why it was stopped."""
    events: tuple[str, ...]
    """Kinds of events that it delivers."""
    rules: ForwardRules
    settings: Mapping[str, Any]
    secrets: tuple[SigningSecret, ...]
    created_at: int
    created_by: str
    revision: int
    """Changes whenever somebody changes the forwarder or its queue from outside."""
    event_cursor: int
    record_cursor: int
    queued: int
    """Number of events ever queued."""
    delivered: int
    tries: int
    """Failed attempts since the last success."""
    failing_since_at: int | None
    next_at: int | None
    """Earliest next attempt (ms); None for at once."""
    last_error: str | None
    last_error_at: int | None
    last_delivered_at: int | None
    damaged: tuple[str, ...] = ()
    """Encrypted values that cannot be read."""

    def valid_secrets(self, now: int) -> list[str]:
        """Return the secrets to sign with at an instant (ms), the newest first."""
        return [one.secret for one in self.secrets if one.until is None or one.until > now]


class NewForwarder(msgspec.Struct, frozen=True, kw_only=True):
    """A forwarder to store."""

    name: str
    kind: str
    events: tuple[str, ...]
    rules: ForwardRules
    settings: Mapping[str, Any]
    secrets: tuple[SigningSecret, ...]
    created_by: str
    event_cursor: int
    record_cursor: int


class PendingBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is stored before it is sent, and stays the same until it is settled."""

    place: int
    """Number of its first event among all that were ever queued; batches go in this order."""
    mark: str
    """Its identity, on the wire too."""
    made_at: int
    events: Sequence[ForwardedEvent]
    answers: int = 0
    """How often the receiver answered with an error."""
    first_tried_at: int | None = None
    """First attempt that failed (ms)."""

    def halves(self, marks: tuple[str, str]) -> tuple[PendingBatch, PendingBatch]:
        """Split it into two new batches of the same events."""
        middle = len(self.events) // 2
        parts = (self.place, self.events[:middle]), (self.place + middle, self.events[middle:])
        first, second = (
            PendingBatch(
                place=place,
                mark=mark,
                made_at=self.made_at,
                events=events,
                first_tried_at=self.first_tried_at,
            )
            for (place, events), mark in zip(parts, marks, strict=True)
        )
        return first, second


class DeadEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was given up."""

    event: ForwardedEvent
    reason: str


class DeadLetter(DeadEvent, frozen=True, kw_only=True):
    """A stored event that was given up; it can be replayed."""

    id: int
    parked_at: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to deliver a batch."""

    batch: str
    at: int
    events: int
    outcome: str
    """`delivered`, `later`, `refused` or `gone`."""
    words: str
    milliseconds: int


class StoredAttempt(Attempt, frozen=True, kw_only=True):
    """An attempt as it is listed."""

    id: int


class ForwarderBacklog(msgspec.Struct, frozen=True, kw_only=True):
    """What a forwarder still has to deliver."""

    count: int
    """Events that are queued, and those that are to be looked at, some of which the rules may leave
    out."""
    oldest_at: int | None
    """When the oldest of them was stored (ms)."""
    dead: int
    """Number of dead letters."""
