"""Views of counts: numbers, and what they mean in words."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...counting import counted
from ...manage.times import instant, instant_or_none
from ...phrases import Phrase, counted_phrase
from .model import CONCLUSIVE, OPEN_COUNTS, CountState, DayCount
from .wording import COUNT_REASONS

Number = Annotated[int, Meta(ge=0)]


class DayCountView(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of a day of a terminal."""

    id: int
    run: Annotated[str | None, Meta(description="The request; null: a night")]
    device: str
    day: Annotated[str, Meta(description="By the clock of the terminal")]
    state: Annotated[
        str,
        Meta(description="; ".join(f"{state.value}: {state.meaning}" for state in CountState)),
    ]
    state_meaning: Annotated[str, Meta(description="`state` in words")]
    meaning: Annotated[str, Meta(description="The outcome in words, such as `412 of 412`")]
    counted: Annotated[int | None, Meta(description="Records that the terminal counts")]
    stored: Annotated[int | None, Meta(description="Records that are stored")]
    missing: Annotated[int | None, Meta(description="Records on the terminal that are not stored")]
    fetched: Annotated[
        int | None,
        Meta(
            description="Records that were missing, and are stored since the terminal was asked "
            "for that day"
        ),
    ]
    rejects: Annotated[
        int | None,
        Meta(description="Rejects of the terminal that contain this date, if records are missing"),
    ]
    detail: Annotated[str | None, Meta(description="Why there is no outcome, or no second number")]
    created_at: str
    finished_at: str | None


class RunCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Days of terminals by state."""

    waiting: Number = 0
    counting: Number = 0
    fetching: Number = 0
    recounting: Number = 0
    complete: Number = 0
    surplus: Number = 0
    short: Number = 0
    unsupported: Number = 0
    not_answered: Number = 0
    cancelled: Number = 0


class VerifyRunView(msgspec.Struct, frozen=True, kw_only=True):
    """A request to compare the records of terminals."""

    id: str
    state: Annotated[str, Meta(description="running, or finished")]
    created_at: str
    counts: RunCounts
    failed: Annotated[
        list[DayCountView],
        Meta(
            description="The first 100 days that ended without proof, or with a shortfall. For "
            "all: `GET attendance/verify?run=`"
        ),
    ]


def words_of(count: DayCount) -> str:
    """Describe the outcome of a count."""
    held, stored = count.counted, count.stored
    if count.state not in CONCLUSIVE or held is None or stored is None:
        return f"{count.state.meaning}. {count.detail or ''}".rstrip()
    fetched = f"; {count.fetched} of them were fetched now" if count.fetched else ""
    if count.state is CountState.SURPLUS:
        return f"{stored} stored, {held} on the terminal{fetched}. {_surplus(count)}"
    if count.state is CountState.COMPLETE:
        return f"{held} of {held}{fetched}{_equal(held - stored)}"
    missing = held - stored
    words = Phrase(
        "%(stored)s of %(counted)s: %(missing)s missing",
        stored=stored,
        counted=held,
        missing=missing,
    )
    if count.fetched:
        words = Phrase(
            "%(stored)s of %(counted)s; %(fetched)s of them were fetched now: %(missing)s missing",
            stored=stored,
            counted=held,
            fetched=count.fetched,
            missing=missing,
        )
    if count.rejects:
        more = counted_phrase(
            "%(num)s reject contains this date: `zkpush rejects list --device %(sn)s`",
            "%(num)s rejects contain this date: `zkpush rejects list --device %(sn)s`",
            count.rejects,
            sn=count.device,
        )
        words = Phrase("%(words)s. %(more)s", words=words, more=more)
    elif count.sent is not None:
        more = counted_phrase(
            "The terminal sent %(num)s row when it was asked for that day",
            "The terminal sent %(num)s rows when it was asked for that day",
            count.sent,
        )
        words = Phrase("%(words)s. %(more)s", words=words, more=more)
    if not count.detail:
        return words
    return Phrase("%(words)s. %(more)s", words=words, more=COUNT_REASONS.phrase(count.detail))


def why_without_outcome(count: DayCount) -> str:
    """Say why a day has no outcome, without its state; empty if that is not known."""
    return COUNT_REASONS.phrase(count.detail or "")


def _rows(number: int) -> str:
    return counted(number, "row")


def _equal(number: int) -> str:
    """Describe the rows of a terminal that are stored once."""
    if number <= 0:
        return ""
    return f". {_rows(number)} on the terminal equal others, which are stored once"


def _surplus(count: DayCount) -> str:
    more = (count.stored or 0) - (count.counted or 0)
    if count.verifications and count.verifications == more:
        return f"{more} are checks of identity cards, which the terminal does not count"
    return f"{more} were removed from the terminal, or it does not count them"


def count_view(count: DayCount) -> DayCountView:
    """Show a count."""
    return DayCountView(
        id=count.id,
        run=count.run,
        device=count.device,
        day=count.day,
        state=count.state.value,
        state_meaning=count.state.meaning,
        meaning=words_of(count),
        counted=count.counted,
        stored=count.stored,
        missing=count.missing,
        fetched=count.fetched,
        rejects=count.rejects,
        detail=count.detail,
        created_at=instant(count.created_at),
        finished_at=instant_or_none(count.finished_at),
    )


def run_view(
    run: str, created_at: int, states: dict[CountState, int], failed: list[DayCount]
) -> VerifyRunView:
    """Show a request."""
    is_running = not OPEN_COUNTS.isdisjoint(states)
    return VerifyRunView(
        id=run,
        state="running" if is_running else "finished",
        created_at=instant(created_at),
        counts=RunCounts(**{state.value: number for state, number in states.items()}),
        failed=[count_view(one) for one in failed],
    )
