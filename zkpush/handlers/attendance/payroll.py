"""The payroll sheet: a row for each person and day with punches, by user ID and day.

Theory of operation. The user IDs of a period are found in one pass over the index of identities.
Then the punches of some people at a time are read from the same index, so that the memory depends
on the number of people and not on that of punches.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import ColumnElement, TextClause, select

from ...interfaces import IStore
from ...manage.console.exports import ExportedTable
from ...manage.console.phrases import Phrase
from ...manage.console.sheets import Cell, SheetColumn
from ...manage.console.visits import Visit
from ...persist.limits import terminals_in
from ...persist.transaction import Transaction
from ..people.store import pin_order
from .chronology import ChronologicalPunches, terminals_of
from .conditions import kinds_of, period_of
from .model import Punch, PunchFilter
from .periods import DAY, DayPeriod
from .schema import attendance
from .showing import ShownPunch, shown_punches
from .store import AttendanceStore
from .strips import DayStrip

DAYS = Phrase("Days")
MOST_DAYS = 366
"""Maximum number of days of a sheet."""
PERSON_DAYS = 3000
"""People times days that are read at once."""
MOST_OF_PERSON = 200_000
"""Maximum number of punches of one person."""
LAST = sys.maxsize
"""Place of the present holder of a user ID, after the earlier ones."""
TOO_LONG = Phrase("Choose a period with a first and a last day, of at most a year.")
COLUMNS: Sequence[SheetColumn] = (
    SheetColumn(Phrase("User ID"), 12),
    SheetColumn(Phrase("Name"), 28),
    SheetColumn(Phrase("Left"), 10),
    SheetColumn(Phrase("Date"), 12),
    SheetColumn(Phrase("First"), 10),
    SheetColumn(Phrase("Last"), 10),
    SheetColumn(Phrase("Punches"), 10),
    SheetColumn(Phrase("Hours between"), 14),
    SheetColumn(Phrase("Of which doubtful"), 14),
    SheetColumn(Phrase("To check"), 24),
    SheetColumn(Phrase("Check-out"), 16),
    SheetColumn(Phrase("Doubtful time"), 16),
    SheetColumn(Phrase("May be another person's"), 28),
    SheetColumn(Phrase("Another person's, not counted"), 28),
)


@attrs.frozen(kw_only=True)
class PersonDay:
    """The punches of a person on a day."""

    pin: str
    name: str | None
    has_left: bool
    strip: DayStrip

    def cells(self) -> list[Cell]:
        """Return the values in the order of `COLUMNS`."""
        strip = self.strip
        times = [one.wall.time() for one in strip.punches]
        number = None
        if strip.is_single:
            number = Phrase("one punch only")
        elif strip.is_odd:
            number = Phrase("odd number of punches")
        return [
            self.pin,
            self.name,
            Phrase("left") if self.has_left else None,
            strip.day,
            times[0] if times else None,
            times[-1] if len(times) > 1 else None,
            len(times),
            _hours(strip.minutes),
            _hours(strip.doubtful_minutes or None),
            number,
            Phrase("no check-out") if strip.lacks_out else None,
            Phrase("doubtful time") if strip.has_doubt else None,
            len(strip.others) or None,
            len(strip.foreign) or None,
        ]


def _hours(minutes: int | None) -> datetime.timedelta | None:
    return None if minutes is None else datetime.timedelta(minutes=minutes)


def payroll_table(
    store: IStore,
    wanted: PunchFilter,
    period: DayPeriod,
    visit: Visit,
    notes: Sequence[Phrase],
    *,
    has_total: bool = False,
) -> ExportedTable:
    """Return the sheet of a filter; `ValueError` if the period has no end or is too long.

    `notes` stand below it, and with `has_total` the sums of all rows.
    """
    days = days_of(period)
    if days is None or not is_payroll_period(period):
        raise ValueError(TOO_LONG)
    rows = PayrollRows(store, wanted, days, visit.zone, notes, has_total=has_total)
    commas = visit.language.has_decimal_commas
    return ExportedTable(visit.said(DAYS), COLUMNS, rows, visit.said, commas)


def is_payroll_period(period: DayPeriod) -> bool:
    """Whether a sheet can have the days of a period."""
    days = days_of(period)
    return days is not None and days <= MOST_DAYS


def days_of(period: DayPeriod) -> int | None:
    """Return the number of days of a period; None if it has no end."""
    if period.first is None or period.last is None:
        return None
    return (period.last - period.first) // DAY + 1


class PayrollRows:
    """The rows of a sheet."""

    def __init__(
        self,
        store: IStore,
        wanted: PunchFilter,
        days: int,
        zone: ZoneInfo,
        notes: Sequence[Phrase],
        *,
        has_total: bool,
    ) -> None:
        """`days` is the number of days of the period."""
        self._store = store
        self._wanted = wanted
        self._zone = zone
        self._notes = notes
        self._has_total = has_total
        self._at_once = max(1, PERSON_DAYS // days)
        self._pins: list[str] | None = None
        self._days = self._punches = self._minutes = self._doubtful = 0
        self.is_over = False

    async def next(self) -> Sequence[Sequence[Cell]]:
        """Read the days of the next people."""
        wanted, zone = self._wanted, self._zone
        if self._pins is None:
            self._pins = await self._store.read(lambda tx: pins_thd(tx, wanted))
        pins, self._pins = self._pins[: self._at_once], self._pins[self._at_once :]
        self.is_over = not self._pins
        found = await self._store.read(lambda tx: days_thd(tx, wanted, pins, zone))
        self._days += sum(bool(one.strip.punches) for one in found)
        self._punches += sum(len(one.strip.punches) for one in found)
        self._minutes += sum(one.strip.minutes or 0 for one in found)
        self._doubtful += sum(one.strip.doubtful_minutes for one in found)
        rows = [one.cells() for one in found]
        return [*rows, *self._end()] if self.is_over else rows

    def _end(self) -> Iterator[list[Cell]]:
        """Generate the rows below the days."""
        if self._has_total:
            hours = _hours(self._minutes), _hours(self._doubtful or None)
            blank: list[Cell] = [None, None]
            yield [Phrase("Total"), *blank, self._days, *blank, self._punches, *hours]
        for note in self._notes:
            yield [note]


def pins_thd(tx: Transaction, wanted: PunchFilter) -> list[str]:
    """Return the user IDs with punches of a filter, in the order of the list of people."""
    if wanted.pin is not None:
        return [wanted.pin]
    query = select(attendance.c.pin).where(*_conditions(wanted)).distinct()
    return sorted(tx.connection.execute(query).scalars(), key=pin_order)


def days_thd(
    tx: Transaction, wanted: PunchFilter, pins: Sequence[str], zone: ZoneInfo
) -> list[PersonDay]:
    """Return the days of some people, by user ID and day."""
    if wanted.pin is not None:
        found: Sequence[Punch] = tx[ChronologicalPunches].page(wanted, MOST_OF_PERSON)
    else:
        query = select(attendance).where(*_conditions(wanted), attendance.c.pin.in_(pins))
        found = tx[AttendanceStore].found(query)
    shown = shown_punches(tx, found, zone, wanted.areas, photos=False, oldest_first=True)
    days: dict[tuple[str, int, datetime.date], list[ShownPunch]] = {}
    for one in shown:
        holder = LAST if one.earlier is None else one.earlier
        days.setdefault((one.pin, holder, one.wall.date()), []).append(one)
    ordered = sorted(days, key=lambda key: (pin_order(key[0]), *key[1:]))
    return [_day(key[2], days[key]) for key in ordered]


def _day(day: datetime.date, punches: Sequence[ShownPunch]) -> PersonDay:
    last = punches[-1]
    counted = [one for one in punches if not one.is_foreign]
    foreign = [one for one in punches if one.is_foreign]
    strip = DayStrip(day=day, punches=counted, foreign=foreign)
    return PersonDay(pin=last.pin, name=last.name, has_left=last.has_left, strip=strip)


def _conditions(wanted: PunchFilter) -> list[ColumnElement[bool] | TextClause]:
    instants, window = period_of(wanted)
    found = [*instants, *window, *kinds_of(wanted)]
    if wanted.device is not None:
        found.append(attendance.c.device_id.in_(terminals_of(wanted)))
    if wanted.areas is not None:
        found.append(attendance.c.device_id.in_(terminals_in(wanted.areas)))
    return found
