"""Days that a payroll clerk has to check: who has marks on which day.

Theory of operation. Days are looked at from the last one back. For each, the database adds up the
punches of every person; the rule of the marks (`marks`) says from these sums who may have a mark,
and so may who has two punches within a minute (`repeats`).
Only their punches are read, and shown as on the page of the day. A part of the list ends when it is
full, or when many punches were looked at, so that its cost does not depend on the period. A day of
many punches is cut into slices by the text of the user IDs, which the index of identities has; only
the punches of one slice at a time are added up.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

import attrs
import msgspec
from sqlalchemy import ColumnElement, TextClause, and_, func, or_, select

from ...manage.console.days import midnight
from ...persist.limits import terminals_in
from ...persist.transaction import Transaction
from ...protocol.codes import RecordType
from ...protocol.times import NO_ZONE
from ..people.store import ClaimStore, EarlierHolders, FormerPeople, pin_order
from .conditions import TYPES, period_of
from .marks import DayMark, marks_of
from .model import PunchFilter, RecentDays
from .periods import DAY, DayPeriod
from .persondays import PersonDay, person_days
from .repeats import may_have_repeats
from .schema import attendance
from .showing import IN, OUT, shown_punches
from .store import AttendanceStore
from .unread import UnreadReader, unread_days_thd
from .unreaddays import with_unread_thd

CURSOR = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\t[^\x00-\x1f]{0,64}){3}$"
MOST_PUNCHES = 2000
"""Punches after which a part ends."""
MOST_DAYS = 62
"""Days, or slices of them, after which a part ends."""
SAMPLE = 2000
"""Punches of a day of whose user IDs the slices are made."""
AT_ONCE = 50
"""People whose punches are read at once."""
RECENT_DAYS = 7
"""Days before today of which the number is told."""
MOST_RECENT = 20
"""People that are counted."""
_IDS = 1000
"""Punches that one query reads."""
_CURSOR = re.compile(CURSOR)
_A_DAY = 86_400
_DECODER = msgspec.json.Decoder(list[int])


@attrs.frozen
class DayPlace:
    """A place in the list."""

    day: datetime.date
    begin: str = ""
    """The slice of the day has the user IDs behind this text."""
    pin: str = ""
    """The last user ID that was listed of the slice; empty for none."""
    end: str = ""
    """The last user ID of the slice, by its text, if one was listed; empty for all that are left.

    It is kept, since other punches of the day may have made another slice meanwhile."""

    @classmethod
    def parse(cls, text: str) -> DayPlace:
        """Read a cursor; `ValueError` if it is invalid."""
        if _CURSOR.fullmatch(text) is None:
            raise ValueError(f"{text[:60]!r} is not a cursor of this list")
        day, begin, pin, end = text.split("\t")
        return cls(datetime.date.fromisoformat(day), begin, pin, end)

    def __str__(self) -> str:
        """Write the cursor."""
        return f"{self.day}\t{self.begin}\t{self.pin}\t{self.end}"


@attrs.frozen(kw_only=True)
class CheckFilter:
    """Which days are wanted."""

    period: DayPeriod
    """Has both ends."""
    zone: ZoneInfo
    areas: frozenset[str] | None = None
    """Areas that the reader is limited to, by the terminal; None for no limit."""
    area: str | None = None
    """Only people with a punch at a terminal of this area; all their punches of the day count."""
    mark: DayMark | None = None
    unread: Mapping[tuple[datetime.date, str], int] = attrs.field(factory=dict)
    """Numbers of lines that could not be read, by day and user ID."""
    today: datetime.date | None = None
    """A day that is not over. It is left out, unless only user IDs that nobody has are wanted."""

    def leaves_out(self, day: datetime.date) -> bool:
        """Whether a day is not over, and what is wanted depends on the rest of it."""
        return day == self.today and self.mark is not DayMark.NOBODY

    def takes(self, marks: Sequence[DayMark]) -> bool:
        """Whether a day with these marks is wanted."""
        return bool(marks) if self.mark is None else self.mark in marks


@attrs.frozen
class CheckPart:
    """A part of the list."""

    days: Sequence[PersonDay]
    next: DayPlace | None
    """Where the next part begins; None at the end."""


@attrs.frozen
class _DaySum:
    """The punches of a user ID on a day, added up."""

    ids: Sequence[int]
    instants: Sequence[int]
    """Seconds since the epoch."""
    ins: int
    outs: int
    doubtful: int

    @property
    def punches(self) -> int:
        """Number of punches."""
        return len(self.ids)

    def marks(self, unread: int) -> list[DayMark]:
        """Return the marks of the day, if all punches are the person's."""
        return marks_of(
            punches=self.punches,
            ins=self.ins,
            outs=self.outs,
            doubtful=self.doubtful,
            unread=unread,
        )


@attrs.frozen
class _Slice:
    """User IDs of a day: those behind one text, and up to another one."""

    day: datetime.date
    begin: str
    end: str | None

    def has(self, pin: str) -> bool:
        """Whether a user ID is in the slice."""
        return pin > self.begin and (self.end is None or pin <= self.end)


class DaysToCheck:
    """The list, by day from the last one on, and by user ID."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def part(
        self,
        wanted: CheckFilter,
        size: int,
        past: DayPlace | None = None,
        *,
        is_quick: bool = False,
    ) -> CheckPart:
        """Return a part of at most `size` people, with their days, beginning behind a place.

        With `is_quick`, it ends before a day of many punches.
        """
        first, day = _ends(wanted.period)
        place = DayPlace(day) if past is None or past.day > day else past
        found: list[PersonDay] = []
        read = 0
        for _ in range(MOST_DAYS):
            last = self._last_day(wanted, place.day)
            if last is None or last < first:
                return CheckPart(found, None)
            if last < place.day:
                place = DayPlace(last)
            end = (place.end or None) if place.pin else self._end(wanted, place)
            some = _Slice(place.day, place.begin, end)
            if is_quick and some.end is not None:
                break
            sums = {} if wanted.leaves_out(some.day) else self._sums(wanted, some)
            read += sum(one.punches for one in sums.values())
            pins = self._candidates(wanted, some, sums, place.pin)
            for start in range(0, len(pins), AT_ONCE):
                days = self._days(wanted, some.day, sums, pins[start : start + AT_ONCE])
                for pin, own in groupby(days, attrgetter("pin")):
                    found += own
                    size -= 1
                    if size == 0:
                        return CheckPart(found, attrs.evolve(place, pin=pin, end=end or ""))
            if some.end is not None:
                place = DayPlace(some.day, some.end)
            elif some.day == first:
                return CheckPart(found, None)
            else:
                place = DayPlace(some.day - DAY)
            if read >= MOST_PUNCHES:
                break
        return CheckPart(found, place)

    def _last_day(self, wanted: CheckFilter, day: datetime.date) -> datetime.date | None:
        """Return the last day up to this one that may have something; None if none has."""
        _, end = _instants(wanted, day)
        _, window = period_of(PunchFilter(until=end))
        query = select(func.max(attendance.c.time)).where(*window)
        newest: str | None = self._connection.execute(query).scalar_one()
        found = [one for one, _ in wanted.unread if one <= day]
        # The clock of a terminal may be a day behind, and the zone of the reader ahead of UTC.
        if newest is not None:
            found.append(min(day, datetime.date.fromisoformat(newest[:10]) + 2 * DAY))
        return max(found, default=None)

    def _end(self, wanted: CheckFilter, place: DayPlace) -> str | None:
        """Return the last user ID of the slice of a place; None for all that are left."""
        # The day by the terminals' own clocks has about as many punches as that of the reader.
        own, time = _is_of_own_day(place.day), attendance.c.time
        count = self._connection.execute(select(func.count(time)).where(own)).scalar_one()
        # A slice has about two thirds of a part.
        slices = 3 * int(count) // (2 * MOST_PUNCHES) + 1
        if slices == 1:
            return None
        some = select(attendance.c.pin).where(own)
        rows = self._connection.execute(some.order_by(time).limit(SAMPLE)).scalars()
        pins = sorted({*rows})
        left = [pin for pin in pins if pin > place.begin]
        step = len(pins) // slices + 1
        return left[step - 1] if len(left) > step else None

    def _sums(self, wanted: CheckFilter, some: _Slice) -> dict[str, _DaySum]:
        """Add up the punches of a slice, by user ID."""
        columns = attendance.c
        ins, outs = (columns.status.in_([int(one) for one in some]) for some in (IN, OUT))
        is_array = self._connection.dialect.name == "postgresql"
        every = func.array_agg if is_array else func.json_group_array
        query = select(
            columns.pin,
            every(columns.id),
            every(columns.utc),
            func.count().filter(ins),
            func.count().filter(outs),
            func.count(columns.doubt),
        ).where(*_of_day(wanted, some.day), columns.pin > some.begin)
        if some.end is not None:
            query = query.where(columns.pin <= some.end)
        if wanted.area is not None:
            here = columns.device_id.in_(terminals_in([wanted.area]))
            query = query.having(func.count().filter(here) > 0)
        rows = self._connection.execute(query.group_by(columns.pin))
        return {
            pin: _DaySum(ids, instants, *sums)
            if is_array
            else _DaySum(_DECODER.decode(ids), _DECODER.decode(instants), *sums)
            for pin, ids, instants, *sums in rows
        }

    def _candidates(
        self, wanted: CheckFilter, some: _Slice, sums: Mapping[str, _DaySum], past: str
    ) -> list[str]:
        """Return the user IDs behind one that may have wanted marks, in order."""
        begin, end = _instants(wanted, some.day)
        # Whose punches these are is not in the sums.
        special = {pin for pin, _ in self._tx[ClaimStore].by_place([*sums])}
        holders = self._tx[EarlierHolders]
        special |= holders.given_away(begin - _A_DAY, end + _A_DAY)
        special |= sums.keys() & holders.hidden_since(begin - _A_DAY, wanted.areas)
        special |= self._tx[FormerPeople].unknown(sums.keys())
        found = {
            pin
            for pin, one in sums.items()
            if pin in special
            or wanted.takes(one.marks(wanted.unread.get((some.day, pin), 0)))
            or may_have_repeats(one.instants)
        }
        if not wanted.leaves_out(some.day) and wanted.takes([DayMark.UNREADABLE]):
            found |= {pin for day, pin in wanted.unread if day == some.day and some.has(pin)}
        ordered = sorted(found, key=pin_order)
        return [pin for pin in ordered if not past or pin_order(pin) > pin_order(past)]

    def _days(
        self,
        wanted: CheckFilter,
        day: datetime.date,
        sums: Mapping[str, _DaySum],
        pins: Sequence[str],
    ) -> list[PersonDay]:
        """Return the day of some people, if it has wanted marks."""
        ids = [each for pin in pins if pin in sums for each in sums[pin].ids]
        punches = [
            punch
            for start in range(0, len(ids), _IDS)
            for punch in self._tx[AttendanceStore].of_ids(ids[start : start + _IDS])
        ]
        shown = shown_punches(
            self._tx, punches, wanted.zone, wanted.areas, photos=False, oldest_first=True
        )
        days = person_days(shown)
        unread = {(day, pin): wanted.unread.get((day, pin), 0) for pin in pins}
        unread = {key: count for key, count in unread.items() if count}
        found = with_unread_thd(self._tx, days, unread, wanted.zone, wanted.areas)
        return [one for one in found if wanted.takes(one.strip.to_check)]


def recent_thd(
    tx: Transaction, zone: ZoneInfo, today: datetime.date, areas: frozenset[str] | None
) -> RecentDays:
    """Count the days to check of the last days before today, if that is quickly done."""
    period = DayPeriod(today - RECENT_DAYS * DAY, today - DAY)
    unread = unread_days_thd(tx, UnreadReader(zone, areas), period)
    wanted = CheckFilter(period=period, zone=zone, areas=areas, unread=unread)
    part = tx[DaysToCheck].part(wanted, MOST_RECENT, is_quick=True)
    is_more = part.next is not None
    wanted = attrs.evolve(wanted, period=DayPeriod(today, today), mark=DayMark.NOBODY, unread={})
    new = tx[DaysToCheck].part(wanted, MOST_RECENT, is_quick=True)
    unknown = {one.pin for one in (*part.days, *new.days) if one.strip.is_unknown}
    count = None if is_more and not part.days else len(part.days)
    return RecentDays(period, count, is_more, len(unknown), today)


def _ends(period: DayPeriod) -> tuple[datetime.date, datetime.date]:
    if period.first is None or period.last is None:
        raise ValueError("the period has no end")
    return period.first, period.last


def _instants(wanted: CheckFilter, day: datetime.date) -> tuple[int, int]:
    return midnight(day, wanted.zone), midnight(day + DAY, wanted.zone)


def _instants_filter(wanted: CheckFilter, day: datetime.date) -> PunchFilter:
    since, until = _instants(wanted, day)
    return PunchFilter(since=since, until=until)


def _of_day(wanted: CheckFilter, day: datetime.date) -> Iterator[ColumnElement[bool] | TextClause]:
    """Conditions on punches: that the reader sees them on this day."""
    columns = attendance.c
    instants, window = period_of(_instants_filter(wanted, day))
    has_zone = or_(columns.doubt.is_(None), columns.doubt != NO_ZONE)
    # Without a zone, the day is that of the terminal's own clock.
    is_without = and_(columns.doubt == NO_ZONE, _is_of_own_day(day))
    yield from window
    yield or_(and_(has_zone, *instants), is_without)
    yield TYPES[RecordType.ATTENDANCE]
    if wanted.areas is not None:
        yield (columns.device_id + 0).in_(terminals_in(wanted.areas))


def _is_of_own_day(day: datetime.date) -> ColumnElement[bool]:
    """Condition on punches: that they are of a day by the terminal's own clock."""
    time = attendance.c.time
    return and_(time >= f"{day} 00:00:00", time <= f"{day} 23:59:59")
