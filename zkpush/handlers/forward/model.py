"""Values of forwarding: forwarders, their rules, pending batches and dead letters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import attrs
import msgspec
from msgspec import Meta

from ...values.forwarding import ForwardedEvent
from ...valuewords import TIME_OF_DAY

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


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


class DirectionCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A direction, and the punches that have it: those that match all lists which are given."""

    direction: Literal["in", "out"]
    status: list[int] | None = None
    verify: list[int] | None = None
    work_code: list[str] | None = None
    devices: list[str] | None = None


STANDARD_CASES = (
    DirectionCase(direction="in", status=[0, 3, 4]),
    DirectionCase(direction="out", status=[1, 2, 5]),
)
"""The factory defaults of the state keys."""


class DirectionRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the direction of a punch is found, for the field `direction` of its data."""

    cases: Annotated[
        tuple[DirectionCase, ...],
        Meta(
            description="The first that matches counts. By default in for the states 0, 3 and 4, "
            "out for 1, 2 and 5"
        ),
    ] = STANDARD_CASES
    otherwise: Annotated[
        Literal["alternate", "none"],
        Meta(
            description="Of a punch that no case matches, such as one without a chosen state "
            "(255): in and out alternate within a working day, or there is no direction"
        ),
    ] = "alternate"
    day_starts: Annotated[
        Annotated[str, Meta(pattern=TIME_OF_DAY)],
        Meta(
            description="When a working day begins, by the wall clock of the terminal. 12:00 keeps "
            "a night shift in one day"
        ),
    ] = "04:00"


class ForwardRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which events a forwarder delivers, and how they look."""

    devices: Annotated[
        Sequence[str] | None, Meta(description="Serial numbers of terminals; null for all")
    ] = None
    areas: Annotated[Sequence[str] | None, Meta(description="Areas of terminals; null for all")] = (
        None
    )
    since: Annotated[
        str | None,
        Meta(
            description="ISO 8601. Earlier punches are left out, by their own time; by default, "
            "those from before the forwarder was made"
        ),
    ] = None
    doubt: Annotated[
        Literal["mark", "hold"],
        Meta(
            description="Records with a doubt about their time: sent with the field `doubt`, or "
            "held back until it is cleared"
        ),
    ] = "mark"
    minimum_gap_seconds: Annotated[
        Annotated[int, Meta(ge=0, le=43_200)],
        Meta(description="A punch so soon after another one of the same person is left out"),
    ] = 0
    directions: Annotated[
        DirectionRule | None, Meta(description="Adds the field `direction`: in or out")
    ] = None
    fields: Annotated[
        dict[str, str] | None,
        Meta(
            description="The data of punches: names and templates such as `{pin}` or `T-{device}`. "
            "A template that is one field keeps its type. null for all fields"
        ),
    ] = None


class SigningSecret(msgspec.Struct, frozen=True):
    """A secret of a forwarder."""

    secret: str
    until: int | None = None
    """End of its validity (ms); None for the current one."""


class ReplayRange(msgspec.Struct, frozen=True, kw_only=True):
    """What is still to be read of a replay: a part of events and records, stored in a period."""

    event_cursor: int
    record_cursor: int
    event_end: int
    """Id of the last event that may belong to it."""
    record_end: int
    since: int
    """Start of the period, in milliseconds since the epoch."""
    until: int
    """End of the period (ms), exclusive."""

    @property
    def rows(self) -> int:
        """Number of rows to look at, at most."""
        events = max(self.event_end - self.event_cursor, 0)
        return events + max(self.record_end - self.record_cursor, 0)


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
    replay: ReplayRange | None = None
    """What is to be sent again, beside the events that follow the position."""
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
    encoded: str | None = None
    """Its events as JSON, if it is not stored yet: a transaction does not wait for that."""

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


@attrs.frozen
class ForwardTotals:
    """Figures of all forwarders together."""

    backlog: int = 0
    """Events that are to be delivered, or to be looked at."""
    oldest_at: int | None = None
    """When the oldest of them was stored (ms)."""
    dead: int = 0
    """Number of dead letters."""
    failing: int = 0
    """Number of forwarders whose last attempt failed, or that are stopped."""
    delivered: int = 0


@attrs.frozen
class ForwardFigures:
    """Access to these figures for capabilities that require forwarding."""

    totals_thd: Callable[[Transaction], ForwardTotals]
