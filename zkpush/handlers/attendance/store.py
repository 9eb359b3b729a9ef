"""Attendance records in the store."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    CursorResult,
    Select,
    false,
    func,
    select,
)
from sqlalchemy import Row as SQLRow

from ...model import Page
from ...persist.databases import numbers
from ...persist.limits import of_terminals, terminals_in
from ...persist.paging import key_of, keys_with_history, part_of
from ...persist.rows import stored
from ...persist.schema import devices
from ...persist.sealed import opened
from ...protocol.codes import RecordType
from .conditions import TYPES, kinds_of, period_of
from .ends import PunchEnds
from .erasing import erase_person
from .lists import PEOPLE, TERMINALS, LateIndex, last_listed
from .model import EVERY_PUNCH, STORED_PUNCH, Punch, PunchFilter
from .photos import AttendancePhotoStore
from .schema import PERIOD, arrivals, attendance
from .spans import count_punches

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

__all__ = ["AttendanceStore", "count_punches", "erase_person"]

FEW = 50_000
"""Most records sorted to find a page."""
_HOUR = 3600


@functools.cache
def _named(dialect: str) -> Select[tuple[int, str]]:
    """Query for the serial numbers of terminals."""
    return select(devices.c.id, devices.c.sn).where(devices.c.id.in_(numbers(dialect, "keys")))


def _tuples(result: CursorResult[Any]) -> Sequence[tuple[Any, ...]]:
    """The rows as the database's driver returns them, which takes half the time of `all`."""
    rows: Sequence[tuple[Any, ...]] = result.cursor.fetchall()
    result.close()
    return rows


class AttendanceStore:
    """Reads attendance records; `AttendanceInserts` writes them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._vault = tx.vault

    def page(self, part: Page, wanted: PunchFilter = EVERY_PUNCH) -> list[Punch]:
        """List records by id."""
        return self._punches(self._rows(part, wanted, attendance.c))

    def of_people(self, pins: Collection[str], begin: str, end: str) -> list[Punch]:
        """Return the punches of some people, by the clocks of the terminals; ends are inclusive.

        Reads all records of the period by the index of identities, which begins with the time.
        """
        query = select(attendance).where(
            attendance.c.time >= begin,
            attendance.c.time <= end,
            attendance.c.pin.in_(pins),
            TYPES[RecordType.ATTENDANCE],
        )
        return self._punches(self._connection.execute(query).all())

    def found(self, query: Select[Any]) -> list[Punch]:
        """Return the records that a query selects, with all their columns."""
        return self._punches(self._connection.execute(query).all())

    def of_ids(self, ids: Collection[int]) -> list[Punch]:
        """Return the records with some ids, by id."""
        query = select(attendance).where(attendance.c.id.in_(ids)).order_by(attendance.c.id)
        return self._punches(self._connection.execute(query).all())

    def _punches(self, rows: Sequence[SQLRow[Any]]) -> list[Punch]:
        serials = self._serials(row.device_id for row in rows)
        return [
            stored(
                STORED_PUNCH,
                row._mapping
                if row.extra is None
                else opened(self._vault, attendance, row._mapping),
                device=serials[row.device_id],
            )
            for row in rows
        ]

    def tuples(
        self, part: Page, wanted: PunchFilter, names: Sequence[str]
    ) -> tuple[Sequence[tuple[Any, ...]], Mapping[int, str]]:
        """Return these columns of the records of `page`, and serial numbers by `device_id`.

        `device_id` is among the columns; encrypted values stay encrypted.
        """
        rows = self._rows(part, wanted, [attendance.c[name] for name in names], _tuples)
        place = names.index("device_id")
        return rows, self._serials(row[place] for row in rows)

    def _serials(self, keys: Iterable[int]) -> dict[int, str]:
        """Return the serial numbers of terminals by their keys.

        A join with the terminals would sort the records again, which costs more than reading them.
        """
        wanted = {"keys": msgspec.json.encode([*set(keys)]).decode()}
        query = _named(self._connection.dialect.name)
        return dict(_tuples(self._connection.execute(query, wanted)))

    def _rows(
        self,
        part: Page,
        wanted: PunchFilter,
        columns: Iterable[Column[Any]],
        read: Callable[[CursorResult[Any]], Sequence[Any]] = CursorResult.all,
    ) -> Sequence[Any]:
        """Return the rows of a page of records."""
        by_list = self._list_of(wanted)
        if by_list is None:
            return read(self._connection.execute(self._found(part, wanted, columns)))
        last = last_listed(self._connection)
        # One bound on each side: of two, SQLite uses the first, and reads all up to the other.
        until = last + 1 if part.before is None else min(part.before, last + 1)
        older = msgspec.structs.replace(part, before=until)
        newer = msgspec.structs.replace(part, after=max(part.after, last))
        listed = self._found(older, wanted, columns, by_list)
        unlisted = self._found(newer, wanted, columns)
        rows: list[Any] = []
        for query in (unlisted, listed) if part.newest_first else (listed, unlisted):
            if len(rows) < part.limit:
                rows += read(self._connection.execute(query.limit(part.limit - len(rows))))
        return rows

    @staticmethod
    def _list_of(wanted: PunchFilter) -> LateIndex | None:
        """Choose the list that holds the fewest records besides those that are wanted."""
        if wanted.pin is not None:
            return PEOPLE
        is_of_one = wanted.device is not None and not wanted.with_history
        if is_of_one and wanted.since is None and wanted.until is None:
            return TERMINALS
        return None

    def _found(
        self,
        part: Page,
        wanted: PunchFilter,
        columns: Iterable[Column[Any]],
        by_list: LateIndex | None = None,
    ) -> Select[Any]:
        """Query for a page of records, all of them or those of a list of ids."""
        query = select(*columns)
        place: ColumnElement[int] = attendance.c.id
        pin: ColumnElement[Any] = attendance.c.pin
        device_id: ColumnElement[int] = attendance.c.device_id
        if by_list is not None:
            query, place = query.select_from(by_list.joined()), by_list.record_id
            pin = by_list.key if by_list is PEOPLE else pin
            device_id = by_list.key if by_list is TERMINALS else device_id
        if wanted.pin is not None:
            query = query.where(pin == wanted.pin)
        query = query.where(*kinds_of(wanted))
        if wanted.received_since is not None:
            query = query.where(attendance.c.received_at >= wanted.received_since)
            if part.after == 0:  # later pages start after it anyway
                first = self.first_received(wanted.received_since)
                query = query.where(false() if first is None else place >= first)
        instants, window = period_of(wanted)
        query = query.where(*instants)
        is_windowed = bool(window) and wanted.pin is None
        if is_windowed and (wanted.device is not None or self._are_few(window)):
            # Finds them in the index of identities, which begins with time and terminal, and sorts
            # them. Otherwise records are read by id until the page is full. The databases cannot
            # estimate which is faster.
            query = query.where(*window)
            place, device_id = place + 0, device_id + 0
        if wanted.device is not None and wanted.with_history:
            query = query.where(device_id.in_(keys_with_history(wanted.device)))
        elif wanted.device is not None:
            query = query.where(device_id == key_of(wanted.device))
        if wanted.areas is not None:
            query = query.where(device_id.in_(terminals_in(wanted.areas)))
        return part_of(query, place, part, device_id)

    def first_received(self, since: int) -> int | None:
        """Return a lower bound for the ids of records received since (ms); None without any."""
        query = select(func.min(arrivals.c.first_id)).where(arrivals.c.period >= since // PERIOD)
        first: int | None = self._connection.execute(query).scalar_one()
        return first

    def between(self, since: int, until: int) -> tuple[int, int]:
        """Return ids between which all records of a period (ms) are; 0, 0 if there are none.

        `since` and `until` are the times of their arrival.
        """
        first = self.first_received(since)
        # Groups that were begun in the period before may be stored in the first moments of one.
        after = self.first_received(until + 2 * PERIOD)
        return (0, 0) if first is None else (first, self.last() if after is None else after - 1)

    def photos_beside(self, punches: Sequence[Punch]) -> dict[int, int]:
        """Return the ids of the photos taken with some records, by the ids of the records."""
        return self._tx[AttendancePhotoStore].beside(punches)

    def hours(self, since: int, hours: int, areas: frozenset[str] | None = None) -> list[int]:
        """Count attendance by hour; `since` is the beginning of the first one, in seconds.

        Only records received since then are counted, so that no others have to be read. `areas`
        are those of a limited caller.
        """
        counts = [0] * hours
        first = self.first_received(since * 1000)
        if first is None:
            return counts
        hour = (attendance.c.utc - since) // _HOUR
        rows = self._connection.execute(
            select(hour, func.count())
            .where(
                attendance.c.id >= first,
                attendance.c.utc >= since,
                attendance.c.utc < since + hours * _HOUR,
                TYPES[RecordType.ATTENDANCE],
                *of_terminals(attendance.c.device_id, areas),
            )
            .group_by(hour)
        )
        for number, count in rows:
            counts[int(number)] = int(count)
        return counts

    def last(self) -> int:
        """Return the id of the last record; 0 if there is none."""
        return int(self._connection.execute(select(func.max(attendance.c.id))).scalar_one() or 0)

    def _are_few(self, window: Sequence[ColumnElement[bool]]) -> bool:
        found = select(attendance.c.time).where(*window).limit(FEW + 1).subquery()
        count = self._connection.execute(select(func.count()).select_from(found)).scalar_one()
        return int(count) <= FEW

    def first_and_last(self, device_id: int) -> Sequence[Punch]:
        """Return the first and the last punch of a terminal by its clock; nothing without any."""
        found = self._tx[PunchEnds].ids(device_id)
        return [] if found is None else [self.of_ids([each])[0] for each in found]

    def count(self, device_id: int | None) -> int:
        """Count the records of a terminal, or of all terminals if None."""
        query = select(func.count()).select_from(attendance)
        if device_id is not None:
            query = query.where(attendance.c.device_id == device_id)
        return int(self._connection.execute(query).scalar_one())

    def has_any(self, device_id: int) -> bool:
        """Whether a record of a terminal is stored."""
        query = select(attendance.c.id).where(attendance.c.device_id == device_id).limit(1)
        return self._connection.execute(query).one_or_none() is not None

    def count_times(
        self, device_id: int, begin: str, end: str, record_type: RecordType | None = None
    ) -> int:
        """Count the records of a terminal by its own clock; both ends are inclusive."""
        query = (
            select(func.count())
            .select_from(attendance)
            .where(
                attendance.c.device_id == device_id,
                attendance.c.time >= begin,
                attendance.c.time <= end,
            )
        )
        if record_type is not None:
            query = query.where(TYPES[record_type])
        return int(self._connection.execute(query).scalar_one())
