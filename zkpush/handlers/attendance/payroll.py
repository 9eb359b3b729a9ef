"""The payroll sheet: a row for each person and day with punches, by user ID and day.

Theory of operation. The user IDs of a period are found in one pass over the index of identities.
Then the punches of some people at a time are read from the same index, so that the memory depends
on the number of people and not on that of punches.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, TextClause, select

from ...interfaces import IStore
from ...manage.console import sheets
from ...manage.console.exports import ExportedTable, TableLanguage
from ...manage.console.phrases import Phrase
from ...manage.console.sheets import Cell, SheetColumn
from ...persist.limits import terminals_in
from ...persist.transaction import Transaction
from ..people.store import pin_order
from .chronology import ChronologicalPunches, terminals_of
from .conditions import kinds_of, period_of
from .exports import too_many
from .model import Punch, PunchFilter
from .periods import DAY, DayPeriod
from .persondays import PersonDay, person_days
from .schema import attendance
from .showing import shown_punches
from .store import AttendanceStore
from .totals import COLUMNS as TOTAL_COLUMNS
from .totals import SheetTotals, TotalRows, hours, user_id
from .unread import UnreadReader, unread_days_thd
from .unreaddays import UnreadDays, last_second, with_unread_thd

DAYS = Phrase("Payroll")
TOTALS = Phrase("Totals")
MOST_DAYS = 366
"""Maximum number of days of a sheet."""
PERSON_DAYS = 3000
"""People times days that are read at once."""
MOST_OF_PERSON = 200_000
"""Maximum number of punches of one person."""
TOO_LONG = Phrase("Choose a period with a first and a last day, of at most a year.")
_NOTES = (
    Phrase(
        "Hours between are from the first to the last punch of a day, to the second: breaks are "
        "not deducted, and a day with one punch has none."
    ),
    Phrase(
        "A punch that follows another one in the same direction within a minute repeats it: it is "
        "in the number of punches, but nothing to check, and a day of one punch and its repeats "
        "has no hours."
    ),
    Phrase("A day without punches has no row."),
)
"""What is to be known about each payroll sheet, before what the totals have."""
_OF_EVERYBODY = (
    Phrase(
        "Totals have everybody of the list, also people without any punch in the period, but not "
        "those whose first punch came after it."
    ),
    Phrase(
        "Totals of everybody name the days before today on which a person has no punch, and at "
        "least half of the people of this sheet have some; not of people without any punch before."
    ),
)
_OF_PERSON = Phrase("Totals have this person only.")
_OF_AREA = Phrase(
    "Totals of areas have everybody with punches at their terminals, and their people without any "
    "punch in the period, but neither those who punched at terminals elsewhere, nor those whose "
    "first punch came after it."
)
_OF_PUNCHES = Phrase("Totals have only people with punches in this sheet.")
COLUMNS: Sequence[SheetColumn] = (
    SheetColumn(Phrase("User ID"), 20),
    SheetColumn(Phrase("Name"), 28),
    SheetColumn(Phrase("Left"), 10),
    SheetColumn(Phrase("Date"), 12),
    SheetColumn(Phrase("First"), 10),
    SheetColumn(Phrase("Last"), 10),
    SheetColumn(Phrase("Punches"), 10),
    SheetColumn(Phrase("Hours between"), 14),
    SheetColumn(Phrase("Of which doubtful"), 14),
    SheetColumn(Phrase("To check"), 40),
    SheetColumn(Phrase("Punches that may be another person's"), 20),
    SheetColumn(Phrase("Punches of another person, not counted"), 20),
)


def cells_of(day: PersonDay) -> list[Cell]:
    """Return the values of a day in the order of `COLUMNS`."""
    strip = day.strip
    times = [one.wall.time() for one in strip.punches]
    return [
        user_id(day.pin, is_former=day.earlier is not None),
        day.name or day.instead,
        Phrase("left") if day.has_left else None,
        strip.day,
        times[0] if times else None,
        None if strip.last is None else strip.last.wall.time(),
        len(times),
        hours(strip.seconds),
        hours(strip.doubtful_seconds or None),
        day.to_check,
        len(strip.others) or None,
        len(strip.foreign) or None,
    ]


def payroll_tables(
    store: IStore,
    wanted: PunchFilter,
    period: DayPeriod,
    zone: ZoneInfo,
    language: TableLanguage,
    notes: Sequence[Phrase],
    today: datetime.date,
    named: Callable[[str], str | None],
) -> tuple[ExportedTable, ExportedTable]:
    """Return the sheet of a filter, with its notes, and that of the totals, to be read after it.

    `today` is the reader's: it is not over, and nobody is missed on it. `named` returns the name
    of a terminal.

    `ValueError` if the period has no end or is too long.
    """
    days = days_of(period)
    if days is None or not is_payroll_period(period):
        raise ValueError(TOO_LONG)
    rows = PayrollRows(store, wanted, days, zone)
    # Those that the rows bring are added while these are read.
    every = [*payroll_notes(wanted), *notes]
    totals = TotalRows(store, rows.totals, every, today, named)
    said, commas = language.said, language.has_decimal_commas
    return (
        ExportedTable(said(DAYS), COLUMNS, rows, said, commas, every),
        ExportedTable(said(TOTALS), TOTAL_COLUMNS, totals, said, commas),
    )


def payroll_notes(wanted: PunchFilter) -> list[Phrase]:
    """Return what is to be known about the sheet of a filter."""
    if wanted.device is not None or wanted.doubt is not None:
        return [*_NOTES, _OF_PUNCHES]
    if wanted.pin is not None:
        return [*_NOTES, _OF_PERSON]
    if wanted.area is not None or wanted.areas is not None:
        return [*_NOTES, _OF_AREA]
    return [*_NOTES, *_OF_EVERYBODY]


def check_workbook_thd(tx: Transaction, wanted: PunchFilter, days: int) -> None:
    """Raise `ValueError` if the sheet of a period of some days may be too long for a workbook."""
    most = sheets.MOST_ROWS
    # There are no more rows than punches, and than people times days.
    if tx[ChronologicalPunches].count(wanted, most + 1) <= most:
        return
    if len(pins_thd(tx, wanted, None)) * days > most:
        raise ValueError(too_many())


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
    """The rows of a sheet, and the totals of its people."""

    def __init__(
        self,
        store: IStore,
        wanted: PunchFilter,
        days: int,
        zone: ZoneInfo,
        first_pin: str | None = None,
    ) -> None:
        """`days` is the number of days of the period; `first_pin` begins with a user ID."""
        self._store = store
        self._wanted = wanted
        self._zone = zone
        self._first_pin = first_pin
        self._at_once = max(1, PERSON_DAYS // days)
        self._days = days
        first = datetime.datetime.fromtimestamp(wanted.since or 0, zone).date()
        self.totals = SheetTotals(wanted, first, days)
        self._unread: UnreadDays = {}
        self._pins: list[str] | None = None
        self.is_over = False

    async def next(self) -> Sequence[Sequence[Cell]]:
        """Read the days of the next people."""
        return [*map(cells_of, await self.next_days())]

    async def next_days(self) -> Sequence[PersonDay]:
        """Read the days of the next people, and add them to the totals."""
        wanted, zone = self._wanted, self._zone
        if self._pins is None:
            every, self._unread = await self._store.read(self._begin_thd)
        else:
            every = self._pins
        pins, self._pins = every[: self._at_once], every[self._at_once :]
        self.is_over = not self._pins
        own = {*pins}
        unread = {key: count for key, count in self._unread.items() if key[1] in own}

        def find_thd(tx: Transaction) -> Sequence[PersonDay]:
            some = days_thd(tx, wanted, pins, zone)
            return with_unread_thd(tx, some, unread, zone, wanted.areas)

        found = await self._store.read(find_thd)
        for one in found:
            self.totals.add(one)
        return found

    def _begin_thd(self, tx: Transaction) -> tuple[list[str], UnreadDays]:
        """Return the user IDs of the sheet, and what could not be read of them."""
        wanted = self._wanted
        unread = unread_of_thd(tx, wanted, self._days, self._zone)
        return pins_thd(tx, wanted, self._first_pin, {pin for _, pin in unread}), unread


def unread_of_thd(
    tx: Transaction, wanted: PunchFilter, days: int, zone: ZoneInfo
) -> dict[tuple[datetime.date, str], int]:
    """Count the lines of a filter that could not be read, by day and user ID."""
    if wanted.since is None or wanted.doubt is not None:
        return {}
    first = datetime.datetime.fromtimestamp(wanted.since, zone).date()
    period = DayPeriod(first, first + (days - 1) * DAY)
    reader = UnreadReader(zone, wanted.areas)
    found = unread_days_thd(tx, reader, period, wanted.area, wanted.device)
    return {
        (day, pin): count
        for (day, pin), count in found.items()
        if wanted.pin in (None, pin) and _is_within(wanted, last_second(day, zone))
    }


def _is_within(wanted: PunchFilter, instant: int) -> bool:
    """Whether an instant is in the spans of a filter, if it has any."""
    return wanted.spans is None or any(
        (since is None or instant >= since) and (until is None or instant < until)
        for since, until in wanted.spans
    )


def pins_thd(
    tx: Transaction, wanted: PunchFilter, first: str | None, more: Collection[str] = ()
) -> list[str]:
    """Return the user IDs with punches of a filter, and `more`, in the order of the list of people.

    They begin with the user ID `first`, or behind its place.
    """
    if wanted.pin is not None:
        return [wanted.pin]
    query = select(attendance.c.pin).where(*_conditions(wanted)).distinct()
    pins = sorted({*tx.connection.execute(query).scalars(), *more}, key=pin_order)
    return pins if first is None else [one for one in pins if pin_order(one) >= pin_order(first)]


def seen_thd(tx: Transaction, wanted: PunchFilter) -> set[str]:
    """Return the user IDs with punches of a filter."""
    if wanted.pin is not None:
        return {wanted.pin} if tx[ChronologicalPunches].count(wanted, 1) else set()
    return {*pins_thd(tx, wanted, None)}


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
    return person_days(shown)


def _conditions(wanted: PunchFilter) -> list[ColumnElement[bool] | TextClause]:
    instants, window = period_of(wanted)
    found = [*instants, *window, *kinds_of(wanted)]
    if wanted.device is not None:
        found.append(attendance.c.device_id.in_(terminals_of(wanted)))
    if wanted.areas is not None:
        found.append(attendance.c.device_id.in_(terminals_in(wanted.areas)))
    return found
