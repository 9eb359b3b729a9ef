"""Attendance as the console exports it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from ...interfaces import IStore
from ...manage.console.exports import ExportedTable
from ...manage.console.phrases import Phrase
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
)


def punch_table(store: IStore, wanted: PunchFilter, visit: Visit) -> ExportedTable:
    """Return the records of a filter, newest first."""
    title = visit.said(Phrase("Attendance"))
    return ExportedTable(title, COLUMNS, PunchRows(store, wanted, visit), visit.said)


class PunchRows:
    """The rows of an export."""

    def __init__(self, store: IStore, wanted: PunchFilter, visit: Visit) -> None:
        self._store = store
        self._wanted = wanted
        self._zone = visit.zone
        self._before: TimePlace | None = None
        self.is_over = False

    async def next(self) -> Sequence[Sequence[Cell]]:
        """Read the next records."""
        shown, self._before = await self._store.read(
            functools.partial(_slice_thd, wanted=self._wanted, before=self._before, zone=self._zone)
        )
        self.is_over = self._before is None
        return [*map(cells_of, shown)]


def cells_of(punch: ShownPunch) -> list[Cell]:
    """Return the values of a record in the order of `COLUMNS`."""
    return [
        punch.wall.date(),
        punch.wall.time(),
        punch.pin,
        punch.name,
        _phrase(punch.state),
        punch.alias or punch.sn,
        punch.sn,
        _phrase(punch.method),
        punch.work_code,
        punch.temperature,
        _phrase(punch.mask),
        None if punch.doubt is None else _phrase(punch.doubt.mark),
        punch.own_time,
        None if punch.other is None else punch.other or _phrase("another name"),
    ]


def _phrase(text: str | None) -> Phrase | None:
    """Return words that are translated by themselves as a phrase."""
    return text if text is None or isinstance(text, Phrase) else Phrase.made(text, {})


def _slice_thd(
    tx: Transaction, wanted: PunchFilter, before: TimePlace | None, zone: ZoneInfo
) -> tuple[list[ShownPunch], TimePlace | None]:
    """Return the next records, and the place of the last one if there may be more."""
    found = tx[ChronologicalPunches].page(wanted, SLICE, before)
    last = TimePlace(found[-1].time, found[-1].id) if len(found) == SLICE else None
    return shown_punches(tx, found, zone, wanted.areas, photos=False), last
