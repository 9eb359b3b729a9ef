"""Attendance as the console exports it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from ...interfaces import IStore
from ...manage.console import sheets
from ...manage.console.exports import ExportedTable
from ...manage.console.phrases import Phrase, counted_phrase
from ...manage.console.sheets import Cell, SheetColumn
from ...manage.console.visits import Visit
from ...persist.transaction import Transaction
from .chronology import ChronologicalPunches, TimePlace
from .model import PunchFilter
from .showing import ShownPunch, shown_punches

SLICE = 1000
"""Records read at once."""
COLUMNS: Sequence[SheetColumn] = (
    SheetColumn(Phrase("Date"), 12),
    SheetColumn(Phrase("Time"), 10),
    SheetColumn(Phrase("User ID"), 12),
    SheetColumn(Phrase("Name"), 28),
    SheetColumn(Phrase("Attendance state"), 16),
    SheetColumn(Phrase("Terminal"), 22),
    SheetColumn(Phrase("Serial number"), 18),
    SheetColumn(Phrase("Verified by"), 22),
    SheetColumn(Phrase("Work code"), 12),
    SheetColumn(Phrase("Temperature"), 12),
    SheetColumn(Phrase("Mask"), 14),
    SheetColumn(Phrase("Doubtful time"), 18),
    SheetColumn(Phrase("Time of the terminal"), 20),
    SheetColumn(Phrase("May be another person's"), 28),
    SheetColumn(Phrase("Left"), 10),
)


def too_many() -> Phrase:
    """Return why a workbook is refused."""
    return counted_phrase(
        "This is more than %(num)s record. Choose a shorter period, or export them as CSV, which "
        "has no limit.",
        "These are more than %(num)s records. Choose a shorter period, or export them as CSV, "
        "which has no limit.",
        sheets.MOST_ROWS,
    )


def punch_table(
    store: IStore,
    wanted: PunchFilter,
    visit: Visit,
    notes: Sequence[Phrase],
    *,
    oldest_first: bool,
) -> ExportedTable:
    """Return the records of a filter, by their time, and notes about them."""
    title = visit.said(Phrase("Attendance"))
    rows = PunchRows(store, wanted, visit.zone, oldest_first)
    commas = visit.language.has_decimal_commas
    return ExportedTable(title, COLUMNS, rows, visit.said, commas, notes)


class PunchRows:
    """The rows of an export."""

    def __init__(
        self,
        store: IStore,
        wanted: PunchFilter,
        zone: ZoneInfo,
        oldest_first: bool,
    ) -> None:
        self._store = store
        self._next_thd = functools.partial(
            _slice_thd, wanted=wanted, zone=zone, oldest_first=oldest_first
        )
        self._past: TimePlace | None = None
        self.is_over = False

    async def next(self) -> Sequence[Sequence[Cell]]:
        """Read the next records."""
        shown, self._past = await self._store.read(
            functools.partial(self._next_thd, past=self._past)
        )
        self.is_over = self._past is None
        return [*map(cells_of, shown)]


def cells_of(punch: ShownPunch) -> list[Cell]:
    """Return the values of a record in the order of `COLUMNS`."""
    return [
        punch.wall.date(),
        punch.wall.time(),
        punch.pin,
        punch.name or punch.instead,
        _phrase(punch.state),
        punch.alias or punch.sn,
        punch.sn,
        _phrase(punch.method),
        punch.work_code,
        punch.temperature,
        _phrase(punch.mask),
        None if punch.doubt is None else _phrase(punch.doubt.mark),
        punch.own_time,
        _another(punch),
        Phrase("left") if punch.has_left else None,
    ]


def _another(punch: ShownPunch) -> Cell:
    """Return whose the punch may be, or is; None if it is the person's."""
    if punch.claim is None:
        return None
    name = punch.claim.name or Phrase("another name")
    return Phrase("is %(name)s's", name=name) if punch.is_foreign else name


def _phrase(text: str | None) -> Phrase | None:
    """Return words that are translated by themselves as a phrase."""
    return text if text is None or isinstance(text, Phrase) else Phrase.made(text, {})


def _slice_thd(
    tx: Transaction,
    wanted: PunchFilter,
    past: TimePlace | None,
    zone: ZoneInfo,
    oldest_first: bool,
) -> tuple[list[ShownPunch], TimePlace | None]:
    """Return the next records, and the place of the last one if there may be more."""
    found = tx[ChronologicalPunches].page(wanted, SLICE, past, oldest_first=oldest_first)
    last = TimePlace(found[-1].time, found[-1].id) if len(found) == SLICE else None
    shown = shown_punches(tx, found, zone, wanted.areas, photos=False, oldest_first=oldest_first)
    return shown, last
