"""Values of attendance: punches, their filter, and attendance photos."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import attrs
import msgspec

from ...folding import fold
from ...protocol.codes import RecordType
from ...protocol.times import NO_ZONE
from ...stored import DatedRecord, TerminalRecord, stored_type
from ..people.model import PunchClaim, Spans
from .tables import ATTLOG

if TYPE_CHECKING:
    from ...persist.transaction import Transaction
    from .periods import DayPeriod


class Punch(DatedRecord, frozen=True, kw_only=True):
    """An attendance record."""

    pin: str
    record_type: int | None = None

    def wall(self, zone: ZoneInfo) -> datetime.datetime:
        """Return the wall clock time in a zone, without the zone.

        Without a known zone of the terminal, and outside the years 1 to 9999, it is the time of the
        terminal's own clock.
        """
        if self.doubt != NO_ZONE:
            try:
                moment = datetime.datetime.fromtimestamp(self.utc, zone)
            except (ValueError, OverflowError):
                pass
            else:
                return moment.replace(tzinfo=None)
        return datetime.datetime.fromisoformat(self.time)


def claim_to(
    punch: Punch, name: str | None, claims: Mapping[tuple[str, str], Sequence[PunchClaim]]
) -> PunchClaim | None:
    """Return another person's claim to a punch.

    `claims` come from `ClaimStore.by_place`. `name` is the person who had the user ID at the time
    of the punch. A decided claim comes first.
    """
    every = claims.get((punch.pin, punch.device), ())
    found = [one for one in every if name is None or fold(one.name) != fold(name)]
    own = [one for one in found if one.span.has(punch.received_at, punch.utc, punch.doubt)]
    return min(own, key=lambda one: one.owner is None, default=None)


STORED_PUNCH = stored_type(Punch, ATTLOG)


class PunchFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Filter of attendance records; None means no restriction."""

    device: str | None = None
    """Serial number of the terminal."""
    with_history: bool = False
    """With `device`, also the records of the terminals that it has replaced."""
    area: str | None = None
    """Area of the terminal."""
    areas: frozenset[str] | None = None
    """Areas that the reader is limited to, by the terminal; None for no limit."""
    pin: str | None = None
    since: int | None = None
    """Start of the period (inclusive), in seconds since the epoch.

    The instant of records without a known zone is computed as if the terminal's clock showed UTC.
    """
    until: int | None = None
    """End of the period (exclusive), in seconds since the epoch."""
    received_since: int | None = None
    """Earliest time of receipt (inclusive), in milliseconds since the epoch."""
    spans: Spans | None = None
    """Periods in any of which the instants are, such as those of one holder of a user ID."""
    doubt: str | None = None
    record_type: RecordType | None = None


EVERY_PUNCH = PunchFilter()


@attrs.frozen
class RecentDays:
    """How many days of people there are to check of the last days."""

    period: DayPeriod
    count: int | None
    """None if none was found among the punches that were looked at, and there are more."""
    is_more: bool
    """Whether there may be more than `count`."""
    unknown: int
    """User IDs with punches on these days, or today, that nobody here has, as far as was looked."""
    today: datetime.date


@attrs.frozen
class CheckFigures:
    """Access to this number for capabilities that require attendance."""

    recent_thd: Callable[[Transaction, ZoneInfo, datetime.date, frozenset[str] | None], RecentDays]
    """Called with the zone and the day of the reader, and the areas of a limited one."""


class AttendancePhoto(TerminalRecord, frozen=True, kw_only=True):
    """Photo taken at a successful or failed verification (11.3, 11.8)."""

    name: str
    picture: str | None
    """Key of the picture; None if it is damaged."""
    size: int
    """Size of the picture in bytes."""
    kind: int | None = None
    pin: str | None = None
    id_number: str | None = None
    time: str | None = None
    utc: int | None = None
    doubt: str | None = None
    command: str | None = None
