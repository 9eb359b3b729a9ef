"""Forwarders in the API: their views, and the bodies of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import attrs
import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...interfaces import IForwarder, ISelectiveForwarder
from ...manage.errors import bad_request
from ...manage.times import instant, instant_of, instant_or_none
from ...phrases import Phrase
from .manual import secret_settings
from .model import DeadLetter, ForwarderBacklog, ForwardRules, StoredAttempt, StoredForwarder

Settings = Annotated[dict[str, Any], Meta(description="Settings of the kind (GET forwarder-kinds)")]


class ForwarderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A forwarder to make."""

    name: Annotated[
        str,
        Meta(
            description="1 to 64 letters, digits, ., - or _; unique",
            extra_json_schema={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
        ),
    ]
    kind: Annotated[str, Meta(description="Kind of receiver")] = "webhook"
    url: Annotated[str | None, Meta(description="The setting `url`")] = None
    allow_private: Annotated[bool | None, Meta(description="The setting `allow_private`")] = None
    settings: Settings = {}
    events: Annotated[
        Annotated[list[str], Meta(min_length=1)] | None,
        Meta(
            description="Kinds of events, as in GET events; by default those that the kind is for"
        ),
    ] = None
    rules: ForwardRules = ForwardRules()


class ForwarderChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes to a forwarder; settings that are not named stay."""

    url: str | UnsetType = UNSET
    allow_private: bool | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    events: Annotated[list[str], Meta(min_length=1)] | UnsetType = UNSET
    rules: ForwardRules | UnsetType = UNSET


class ReplayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to send again: the events of a period, or dead letters."""

    since: Annotated[
        str | None,
        Meta(
            description="ISO 8601. Events from this instant on, by their `timestamp`, whether they "
            "were delivered or not; by default from the first that is stored"
        ),
    ] = None
    until: Annotated[
        str | None, Meta(description="ISO 8601. Events before this instant; by default until now")
    ] = None
    dead: Annotated[
        bool, Meta(description="Only dead letters, of the period or all; they are removed then")
    ] = False
    ids: Annotated[
        Annotated[list[str], Meta(max_length=1000)] | None,
        Meta(description="Dead letters of the events with these ids"),
    ] = None
    dry_run: Annotated[bool, Meta(description="Send nothing, only count")] = False
    cancel: Annotated[
        bool, Meta(description="End the replay that is going on; what is queued is sent")
    ] = False


class DiscardRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which dead letters to discard."""

    all: Annotated[bool, Meta(description="All dead letters")] = False
    since: Annotated[
        str | None,
        Meta(description="ISO 8601. Those of events from this instant on, by their `timestamp`"),
    ] = None
    until: Annotated[
        str | None, Meta(description="ISO 8601. Those of events before this instant")
    ] = None
    ids: Annotated[
        Annotated[list[str], Meta(max_length=1000)] | None,
        Meta(description="Those of the events with these ids"),
    ] = None
    dry_run: Annotated[bool, Meta(description="Discard nothing, only count")] = False


class DiscardView(msgspec.Struct, frozen=True):
    """The result of discarding."""

    discarded: Annotated[int, Meta(description="Number of dead letters that are gone")]


@attrs.frozen
class EventPeriod:
    """A period, in milliseconds since the epoch."""

    since: int
    until: int

    @classmethod
    def of(cls, since: str | None, until: str | None, now: int) -> EventPeriod:
        """Read the period of a request; one without an end ends now. Raises `ApiError` (400)."""
        begin, end = instant_of("since", since), instant_of("until", until)
        period = cls(1000 * (begin or 0), now + 1 if end is None else 1000 * end)
        if period.since >= period.until:
            raise bad_request(Phrase("since, until: the period ends before it begins."))
        return period


class ReplayView(msgspec.Struct, frozen=True):
    """The result of a replay."""

    queued: Annotated[int, Meta(description="Number of events that are sent again")]
    is_exact: Annotated[
        bool,
        Meta(description="false if they are too many to count: at most so many are sent"),
    ]


class ForwarderView(msgspec.Struct, frozen=True, kw_only=True):
    """A forwarder: where events go, and how far it is."""

    id: int
    name: str
    kind: str
    url: Annotated[str | None, Meta(description="The setting `url`, if the kind has one")]
    settings: Annotated[dict[str, Any], Meta(description="Secret ones are null")]
    events: list[str]
    rules: ForwardRules
    state: str
    state_meaning: str
    reason: Annotated[str | None, Meta(description="Why it was stopped")]
    backlog: Annotated[
        int,
        Meta(description="Events to deliver; the rules may leave out some of those not read yet"),
    ]
    oldest_undelivered_at: str | None
    dead: Annotated[int, Meta(description="Number of dead letters")]
    delivered: Annotated[int, Meta(description="Number of delivered events")]
    last_delivered_at: str | None
    tries: Annotated[int, Meta(description="Failed attempts since the last success")]
    failing_since_at: str | None
    last_error: str | None
    last_error_at: str | None
    next_try_at: Annotated[str | None, Meta(description="null if nothing has failed")]
    replay_left: Annotated[
        int | None,
        Meta(description="Rows that a replay has still to look at; null without a replay"),
    ]
    created_at: str
    created_by: str


class NewForwarderView(ForwarderView, frozen=True, kw_only=True):
    """A forwarder that was just made."""

    secret: Annotated[
        str | None,
        Meta(description="The receiver verifies signatures with it; it is never shown again"),
    ]


class RotatedView(msgspec.Struct, frozen=True):
    """A new signing secret."""

    secret: Annotated[str, Meta(description="It is never shown again")]
    old_until: Annotated[
        str, Meta(description="Until then, requests carry signatures of both secrets")
    ]


class TestView(msgspec.Struct, frozen=True):
    """What became of a sample event."""

    delivered: bool
    outcome: Annotated[str, Meta(description="delivered, later, refused or gone")]
    words: Annotated[str, Meta(description="What the receiver answered, or why it was not reached")]


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to deliver a batch."""

    id: int
    at: str
    batch: Annotated[str, Meta(description="The `webhook-id`")]
    events: Annotated[int, Meta(description="Number of events in it")]
    outcome: str
    outcome_meaning: str
    words: str
    milliseconds: int


class DeadLetterView(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the receiver did not take."""

    id: int
    event: Annotated[dict[str, Any], Meta(description="The event as it was sent")]
    reason: str
    parked_at: str


class ForwarderKindView(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of forwarder."""

    name: str
    summary: str
    makes_secret: Annotated[bool, Meta(description="Whether it signs with a secret of its own")]
    events: Annotated[
        list[str] | None, Meta(description="Kinds of events that it can deliver; null for all")
    ]
    settings: Annotated[dict[str, Any], Meta(description="JSON Schema of its settings")]


OUTCOMES = {
    "delivered": "The receiver has the events",
    "later": "The receiver was not reached, or asked for patience",
    "refused": "The receiver answered with an error",
    "gone": "The receiver wants no more events",
}


def delivered_kinds(kind: IForwarder) -> list[str] | None:
    """Return the kinds of events that a kind of forwarder delivers; None for all."""
    return [*kind.events] if ISelectiveForwarder.providedBy(kind) else None


def shown_settings(stored: StoredForwarder, kind: IForwarder | None) -> dict[str, Any]:
    """Return the settings without secrets; none at all if the kind is not installed."""
    if kind is None:
        return {}
    secrets = secret_settings(kind)
    return {name: None if name in secrets else value for name, value in stored.settings.items()}


def forwarder_values(
    stored: StoredForwarder, backlog: ForwarderBacklog, kind: IForwarder | None
) -> dict[str, Any]:
    """Return the fields of the view of a forwarder."""
    settings = shown_settings(stored, kind)
    return {
        "id": stored.id,
        "name": stored.name,
        "kind": stored.kind,
        "url": settings.get("url"),
        "settings": settings,
        "events": list(stored.events),
        "rules": stored.rules,
        "state": stored.state.value,
        "state_meaning": stored.state.meaning,
        "reason": stored.reason,
        "backlog": backlog.count,
        "oldest_undelivered_at": instant_or_none(backlog.oldest_at),
        "dead": backlog.dead,
        "delivered": stored.delivered,
        "last_delivered_at": instant_or_none(stored.last_delivered_at),
        "tries": stored.tries,
        "failing_since_at": instant_or_none(stored.failing_since_at),
        "last_error": stored.last_error,
        "last_error_at": instant_or_none(stored.last_error_at),
        "next_try_at": instant_or_none(stored.next_at),
        "replay_left": None if stored.replay is None else stored.replay.rows,
        "created_at": instant(stored.created_at),
        "created_by": stored.created_by,
    }


def attempt_view(one: StoredAttempt) -> AttemptView:
    """Return the view of an attempt."""
    return AttemptView(
        id=one.id,
        at=instant(one.at),
        batch=one.batch,
        events=one.events,
        outcome=one.outcome,
        outcome_meaning=OUTCOMES.get(one.outcome, one.outcome),
        words=one.words,
        milliseconds=one.milliseconds,
    )


def dead_view(one: DeadLetter) -> DeadLetterView:
    """Return the view of a dead letter."""
    return DeadLetterView(
        id=one.id,
        event=msgspec.to_builtins(one.event),
        reason=one.reason,
        parked_at=instant(one.parked_at),
    )


def kind_view(kind: IForwarder) -> ForwarderKindView:
    """Return the view of a kind."""
    schema: Mapping[str, Any] = msgspec.json.schema(kind.settings)
    names: Sequence[str] = [*schema.get("$defs", {})]
    found = schema["$defs"][names[0]] if len(names) == 1 else schema
    return ForwarderKindView(
        name=kind.name,
        summary=kind.summary,
        makes_secret=kind.makes_secret,
        events=delivered_kinds(kind),
        settings=dict(found),
    )
