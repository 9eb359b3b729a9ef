"""How attendance records (11.2, 11.7) and the photos taken with them (11.3, 11.8) are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby, repeat
from typing import cast

import attrs
from zope.interface import implementer

from ...device.functions import CommandFunctions, Params
from ...interfaces import IRecordHandler
from ...model import Device
from ...persist.buffers import BufferedInserts
from ...persist.databases import Insert
from ...persist.sealed import seal_columns
from ...persist.transaction import Transaction
from ...protocol.facts import plain_names
from ...protocol.fields import Row, Table
from ...protocol.photos import Photo, parse_name
from ...protocol.records import Batch, value_of
from ...protocol.secrecy import EXTRA, RAW
from ...protocol.times import WallClock, wall_clock
from .photos import AttendancePhotoStore
from .plain import AttendanceRows, distinctions, reckon
from .schema import PERIOD, arrivals, attendance
from .tables import ATTLOG, ATTPHOTO

_MEASURED = {
    "MaskDetectionFunOn": (ATTLOG.names.index("mask"),),
    "IRTempDetectionFunOn": (
        ATTLOG.names.index("temperature"),
        ATTLOG.names.index("converted_temperature"),
    ),
}
"""Options that declare a sensor, with the columns of its measurements."""
MOST_WAITING = 10_000
"""Most rows buffered until the end of the group; more are written at once."""
MOST_PERIODS = 64
"""Most periods remembered as stored."""
_LEADING = ("device_id", "utc", "received_at", "doubt", "distinction")
_NAMES = (*_LEADING, *ATTLOG.names, EXTRA, RAW)
_EXTRA = _NAMES.index(EXTRA)
_Upload = tuple[int, AttendanceRows, int, WallClock, int]
"""Key of the terminal, records and their number, clock of the terminal, time of receipt (ms)."""
_FIRST_ID = ("first_id", "(SELECT coalesce(max(id), 0) + 1 FROM attendance)")


class AttendanceInserts(BufferedInserts):
    """Writes attendance records.

    Rows are buffered until a read or the commit. The rows of many uploads are written with one
    statement.
    """

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._periods: set[int] = set()
        """Periods whose start is stored, or will be if this transaction is committed."""
        super().__init__(tx)

    def add(self, device_id: int, rows: Sequence[Row], clock: WallClock, now: int) -> None:
        """Store decoded rows; records already stored are left unchanged.

        The instant of a record is computed with the terminal's clock, unless the record has its own
        offset. Doubts about it (`zkpush.protocol.times`) are stored too. `now` is in milliseconds.
        """
        count = len(rows)
        if count:
            self.waiting.append((device_id, AttendanceRows.of(rows), count, clock, now))
            self._count += count
            if self._count > MOST_WAITING:
                self.flush()

    def take(self) -> list[Insert]:
        """Take the pending rows."""
        if not self.waiting:
            return []
        columns = _columns(self.waiting, self._vault.index)
        if not all(_is_empty(column) for column in columns[_EXTRA:]):
            columns = seal_columns(self._vault, attendance, _NAMES[: len(columns)], columns)
        # Columns that are empty in all rows are omitted. This halves the cost with `sqlite3`, which
        # treats None as a value of unknown type.
        used = [place for place, column in enumerate(columns) if not _is_empty(column)]
        rows = Insert(
            attendance,
            tuple(_NAMES[place] for place in used),
            [columns[place] for place in used],
            idempotent=True,
        )
        periods = {now // PERIOD for *_, now in self.waiting} - self._periods
        self.waiting, self._count = [], 0
        return [self._begun(periods), rows] if periods else [rows]

    def _begun(self, periods: set[int]) -> Insert:
        """Insert for the first ids of periods that may not be stored yet.

        Ids ascend in commit order: records written now get no lower ids, nor do records of these
        periods that are not visible yet.
        """
        if len(self._periods) > MOST_PERIODS:
            self._periods.clear()
        self._periods |= periods
        return Insert(
            arrivals, ("period",), [sorted(periods)], computed=(_FIRST_ID,), idempotent=True
        )

    def forget_waiting(self) -> None:
        """Drop the pending rows, because their transaction is rolled back."""
        self.waiting: list[_Upload] = []
        self._count = 0
        self._periods.clear()


@implementer(IRecordHandler)
@attrs.frozen
class AttendanceHandler:
    """Stores attendance records with their instants, and photos."""

    name = "attendance"
    tables = (ATTLOG, ATTPHOTO)
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        clock = wall_clock(device.timezone)
        if batch.table is ATTLOG:
            tx[AttendanceInserts].add(device.id, _measured(batch.rows, device), clock, now)
            return
        photos = [cast(Photo, photo) for (photo,) in batch.rows]
        tx[AttendancePhotoStore].add_all(device.id, photos, clock, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Do nothing: no action follows a stored attendance record."""


def _columns(waiting: Sequence[_Upload], index: Callable[[bytes], bytes]) -> list[Sequence[object]]:
    """Return the columns of the pending rows: terminal, instant and decoded values."""
    device_ids: list[int] = []
    received: list[int] = []
    for device_id, _, count, _, now in waiting:
        device_ids += repeat(device_id, count)
        received += repeat(now, count)
    every = AttendanceRows.join([rows for _, rows, *_ in waiting])
    instants: list[int] = []
    doubts: list[str | None] = []
    # The uploads of a group arrive within a second or two, most of them from one zone.
    for (clock, second), run in groupby(waiting, _clock_and_second):
        start = len(instants)
        end = start + sum([count for _, _, count, *_ in run])
        part = every if (start, end) == (0, len(every)) else every.part(start, end)
        found, doubtful = reckon(part, clock, second)
        instants += found
        doubts += repeat(None, len(found)) if doubtful is None else doubtful
    return [device_ids, instants, received, doubts, distinctions(every, index), *every.columns]


def _clock_and_second(waiting: _Upload) -> tuple[WallClock, int]:
    return waiting[3], waiting[4] // 1000


def _is_empty(column: Sequence[object]) -> bool:
    return column[0] is None and column.count(None) == len(column)


def _measured(rows: Sequence[Row], device: Device) -> Sequence[Row]:
    """Remove the zero measurements of terminals without mask or temperature sensors.

    Such terminals fill the columns all the same; terminals with sensors declare them (8).
    """
    if isinstance(rows, AttendanceRows):  # plain rows have no such columns
        return rows
    options = plain_names(device.options)
    zeros = [
        place
        for option, places in _MEASURED.items()
        if options.get(option.lower(), "0").strip() in ("", "0")
        for place in places
    ]
    return [
        tuple(None if place in zeros and not value else value for place, value in enumerate(row))
        for row in rows
    ]


def _in_period(table: Table, row: Row, params: Params) -> bool:
    if table is ATTPHOTO:
        photo = row[0]
        time = parse_name(photo.name).time if isinstance(photo, Photo) else None
    else:
        time = str(value_of(table, row, "time"))
    return time is not None and params["StartTime"] <= time <= params["EndTime"]


FUNCTIONS = CommandFunctions(
    matchers={
        "DATA QUERY ATTLOG": {ATTLOG.name: _in_period},
        "DATA QUERY ATTPHOTO": {ATTPHOTO.name: _in_period},
    },
)

HANDLERS = (AttendanceHandler(),)
