"""Totals of a payroll sheet: the sums of each person's days, also of people without any punch.

People of the list without a punch have a row, so that nobody is silently absent. A sheet of one
terminal, or of doubtful times, has only people with punches, since the others may have punched.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Sequence

import attrs

from ...interfaces import IStore
from ...manage.console.phrases import Phrase
from ...manage.console.sheets import Cell, SheetColumn
from ...persist.transaction import Transaction
from ..people.store import pin_order
from .gaps import AT_ONCE, DayBits, early_gaps, gaps_of, known_before_thd
from .model import PunchFilter
from .periods import DAY
from .persondays import PersonDay
from .quiet import QuietDays, QuietTerminal, quiet_notes
from .strips import DayStrip
from .unseen import find_unseen

SLICE = 500
"""Rows that are written at once."""
EARLIER_NOTE = Phrase(
    "User IDs with '(earlier person)' belong to somebody else now. Do not count these rows for "
    "that person."
)
COLUMNS: Sequence[SheetColumn] = (
    SheetColumn(Phrase("User ID"), 20),
    SheetColumn(Phrase("Name"), 28),
    SheetColumn(Phrase("Left"), 10),
    SheetColumn(Phrase("Days with punches"), 12),
    SheetColumn(Phrase("Punches"), 10),
    SheetColumn(Phrase("Hours between"), 14),
    SheetColumn(Phrase("Of which doubtful"), 14),
    SheetColumn(Phrase("Days to check"), 14),
    SheetColumn(Phrase("No punch, though most others had some"), 40),
)
_LAST = sys.maxsize
"""Place of the present holder of a user ID, after the earlier ones."""


def hours(seconds: int | None) -> datetime.timedelta | None:
    """Return a cell of hours; None for none."""
    return None if seconds is None else datetime.timedelta(seconds=seconds)


def user_id(pin: str, *, is_former: bool) -> Cell:
    """Return a cell with a user ID; that of a former holder is never found by the user ID."""
    return Phrase("%(pin)s (earlier person)", pin=pin) if is_former else pin


@attrs.define
class PersonTotal:
    """The sums of a person's days."""

    pin: str
    name: Phrase | str | None
    """Words for an erased person, and for an earlier holder whose name is not shown."""
    has_left: bool = False
    is_earlier: bool = False
    """Whether this is an earlier holder of the user ID, whose name is not shown."""
    is_erased: bool = False
    is_former: bool = False
    """Whether somebody else has the user ID now."""
    present: int = 0
    """The days with punches; see `DayBits`."""
    days: int = 0
    punches: int = 0
    seconds: int = 0
    doubtful_seconds: int = 0
    to_check: int = 0
    """Days with something to check."""
    missed: Phrase | str | None = None
    """Days without a punch, on which most others had some."""

    def add(self, strip: DayStrip, bits: DayBits) -> None:
        """Add a day."""
        if strip.punches:
            self.present |= bits.bit(strip.day)
        self.days += bool(strip.punches)
        self.punches += len(strip.punches)
        self.seconds += strip.seconds or 0
        self.doubtful_seconds += strip.doubtful_seconds
        self.to_check += bool(strip.to_check)

    def cells(self) -> list[Cell]:
        """Return the values in the order of `COLUMNS`."""
        return [
            user_id(self.pin, is_former=self.is_former),
            self.name,
            Phrase("left") if self.has_left else None,
            self.days,
            self.punches,
            hours(self.seconds),
            hours(self.doubtful_seconds or None),
            self.to_check or None,
            self.missed,
        ]


class SheetTotals:
    """The totals of the people of a sheet, as its rows are read."""

    def __init__(self, wanted: PunchFilter, first: datetime.date, days: int) -> None:
        """`first` is the first day of the sheet."""
        self._wanted = wanted
        self._first = first
        self._last = first + (days - 1) * DAY
        self._bits = DayBits(first, days)
        self._found: dict[tuple[str, int], PersonTotal] = {}
        self.quiet = QuietDays()

    def add(self, one: PersonDay) -> None:
        """Add a day of a person."""
        key = one.pin, _LAST if one.earlier is None else one.earlier
        if key not in self._found:
            self._found[key] = PersonTotal(
                one.pin,
                one.name or one.instead,
                one.has_left,
                one.strip.is_earlier,
                one.is_erased,
                one.earlier is not None,
            )
        self._found[key].add(one.strip, self._bits)
        self.quiet.add(one.strip)

    async def find_missed(self, store: IStore, today: datetime.date) -> None:
        """Add the people without punches, and name the days on which people are missed."""
        wanted = self._wanted
        seen = {pin for pin, holder in self._found if holder == _LAST}
        unseen = await find_unseen(store, wanted, self._first, self._last, seen)
        for pin, person in unseen.items():
            self._found[pin, _LAST] = PersonTotal(pin, person.name)
        some = (wanted.pin, wanted.device, wanted.area, wanted.areas, wanted.doubt)
        if any(one is not None for one in some):
            return
        people = [
            one
            for one in self._found.values()
            if not (one.is_earlier or one.has_left or one.is_erased)
        ]
        busy = self._bits.busy(sum(bool(one.days) for one in people), today)
        some_days = {one.pin: one.present for one in people if one.pin not in unseen}
        early = early_gaps(some_days, busy)
        known = {pin for pin, person in unseen.items() if person.is_known}
        for start in range(0, len(early), AT_ONCE):
            pins = early[start : start + AT_ONCE]

            def find_thd(tx: Transaction, pins: Sequence[str] = pins) -> set[str]:
                return known_before_thd(tx, pins, wanted.since or 0)

            known |= await store.read(find_thd)
        for one in people:
            gaps = gaps_of(one.present, busy, is_new=one.pin not in known)
            one.missed = self._bits.words(gaps)

    def ordered(self) -> list[PersonTotal]:
        """Return the totals by user ID."""
        order = sorted(self._found, key=lambda key: (pin_order(key[0]), key[1]))
        return [self._found[key] for key in order]


class TotalRows:
    """The rows of the totals of a sheet that has been read."""

    def __init__(
        self,
        store: IStore,
        totals: SheetTotals,
        notes: list[Phrase],
        today: datetime.date,
        named: Callable[[str], str | None],
    ) -> None:
        """`notes` are those of the workbook, to which the rows may add some."""
        self._store = store
        self._totals = totals
        self._today = today
        self._notes = notes
        self._named = named
        self._left: list[PersonTotal] | None = None
        self.is_over = False

    async def next(self) -> Sequence[Sequence[Cell]]:
        """Return rows of the next people."""
        if self._left is None:
            self._left = await self._begin()
        some, self._left = self._left[:SLICE], self._left[SLICE:]
        self.is_over = not self._left
        return [one.cells() for one in some]

    async def _begin(self) -> list[PersonTotal]:
        totals, today = self._totals, self._today
        await totals.find_missed(self._store, today)

        def find_thd(tx: Transaction) -> tuple[list[PersonTotal], list[QuietTerminal]]:
            return totals.ordered(), totals.quiet.find_thd(tx, today)

        found, quiet = await self._store.read(find_thd)
        if any(one.is_former for one in found):
            self._notes.append(EARLIER_NOTE)
        self._notes += quiet_notes(quiet, self._named)
        return found
