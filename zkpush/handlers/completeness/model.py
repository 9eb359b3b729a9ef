"""Values of completeness: what is counted, and what came of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CountState(StrEnum):
    """State of the count of a day of a terminal, as stored."""

    meaning: str
    """The state in words."""

    def __new__(cls, code: str, meaning: str) -> CountState:
        """Declare a state with its words."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    WAITING = "waiting", "The terminal is not asked yet, or not connected"
    COUNTING = "counting", "The terminal is asked for its number of records"
    FETCHING = "fetching", "The terminal is asked to send its records of that day again"
    RECOUNTING = "recounting", "The terminal is asked for its number of records once more"
    COMPLETE = "complete", "All records of the terminal are stored"
    SURPLUS = "surplus", "More records are stored than the terminal holds; none is known to miss"
    SHORT = "short", "The terminal holds records that are not stored"
    UNSUPPORTED = "unsupported", "The terminal cannot be asked for its number of records"
    NOT_ANSWERED = "not_answered", "The terminal was not connected, or did not answer in time"
    CANCELLED = "cancelled", "The command was cancelled"


STATES = {state.value: state for state in CountState}
ASKED_STATES = frozenset({CountState.COUNTING, CountState.FETCHING, CountState.RECOUNTING})
"""States in which a command of the count is open."""
OPEN_COUNTS = ASKED_STATES | {CountState.WAITING}
AGREED = frozenset({CountState.COMPLETE, CountState.SURPLUS})
"""States of days without a shortfall."""
CONCLUSIVE = AGREED | {CountState.SHORT}
"""States in which both numbers are known."""


class NewCount(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a terminal to count."""

    device_id: int
    day: str
    """`YYYY-MM-DD`, by the clock of the terminal."""
    run: str | None = None
    """The request that it belongs to; None for a night."""
    not_before_at: int
    deadline_at: int
    """Time (ms) when the wait for the terminal ends."""
    state: CountState = CountState.WAITING
    detail: str | None = None


class DayCount(msgspec.Struct, frozen=True, kw_only=True):
    """The count of a day of a terminal."""

    id: int
    device: str
    device_id: int
    day: str
    run: str | None
    state: CountState
    command: str | None
    """The open or last command."""
    asked: int
    """Number of times that the terminal was asked to count."""
    counted: int | None
    """Number of records on the terminal."""
    stored: int | None
    """Number of stored records when the terminal counted last."""
    fetched: int | None
    """Number of records that were stored after the terminal was asked for all of that day."""
    sent: int | None
    """Number of records that it sent then."""
    verifications: int | None
    """Number of stored records that are checks of identity cards."""
    rejects: int | None
    """Number of rejects that contain this date."""
    detail: str | None
    not_before_at: int
    deadline_at: int
    created_at: int
    finished_at: int | None

    @property
    def begin(self) -> str:
        """First second of the day."""
        return f"{self.day} 00:00:00"

    @property
    def end(self) -> str:
        """Last second of the day."""
        return f"{self.day} 23:59:59"

    @property
    def missing(self) -> int | None:
        """Number of records that the terminal holds beyond the stored ones."""
        if self.counted is None or self.stored is None:
            return None
        is_proved = self.state in AGREED
        return 0 if is_proved else max(self.counted - self.stored, 0)


class CountFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Filter of counts; None means no restriction."""

    device: str | None = None
    state: CountState | None = None
    run: str | None = None
    since: str | None = None
    """First day."""
    until: str | None = None
    """Last day."""


class ShortDay(msgspec.Struct, frozen=True):
    """A day whose last count found a shortfall."""

    day: str
    counted: int
    stored: int
    rejects: int


class CompletenessOverview(msgspec.Struct, frozen=True):
    """Numbers for metrics."""

    open: int = 0
    short: int = 0
    """Days of terminals with a shortfall."""
    unsupported: int = 0
    """Terminals that cannot count."""
