"""Attendance records by the time of the punch, newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from heapq import merge
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Select, func, literal, or_, select

from ...persist.paging import key_of, keys_with_history
from .conditions import kinds_of, period_of
from .lists import PEOPLE, last_listed
from .model import Punch, PunchFilter
from .schema import attendance
from .store import AttendanceStore

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

CURSOR = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}_[0-9]{1,18}$"
_CURSOR = re.compile(CURSOR, re.ASCII)


@attrs.frozen(order=True)
class TimePlace:
    """Place of a record among those of all terminals."""

    time: str
    """Wall clock time of the terminal."""
    id: int

    @classmethod
    def parse(cls, text: str) -> TimePlace:
        """Read a cursor; `ValueError` if it is invalid."""
        if _CURSOR.fullmatch(text) is None:
            raise ValueError(f"{text[:60]!r} is not a cursor of this list")
        time, _, number = text.partition("_")
        return cls(time.replace("T", " "), int(number))

    def __str__(self) -> str:
        """Write the cursor."""
        return f"{self.time.replace(' ', 'T')}_{self.id}"


class ChronologicalPunches:
    """Attendance records in the descending order of the terminals' wall clocks.

    The index of identities begins with the time, so a page of all people is read from it. The
    records of one person are found by their list and sorted.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def page(self, wanted: PunchFilter, limit: int, before: TimePlace | None = None) -> list[Punch]:
        """List the newest records, or those before a place."""
        places: list[TimePlace] = []
        for query in self._queries(wanted, before):
            found = [
                TimePlace(row.time, row.id) for row in self._connection.execute(query.limit(limit))
            ]
            places = [*merge(places, found, reverse=True)]
        return self._records([place.id for place in places[:limit]])

    def count(self, wanted: PunchFilter, most: int) -> int:
        """Count the records, up to `most`."""
        count = 0
        for query in self._queries(wanted, None):
            some = query.order_by(None).limit(most - count).subquery()
            total = select(func.count()).select_from(some)
            count += int(self._connection.execute(total).scalar_one())
        return count

    def _records(self, ids: Sequence[int]) -> list[Punch]:
        found = {one.id: one for one in self._tx[AttendanceStore].of_ids(ids)}
        return [found[each] for each in ids if each in found]

    def _queries(
        self, wanted: PunchFilter, before: TimePlace | None
    ) -> list[Select[tuple[str, int]]]:
        """Queries for the places of records: listed and unlisted ones of a person, or all."""
        if wanted.pin is None:
            return [self._query(wanted, before)]
        last = last_listed(self._connection)
        listed = (
            self._query(wanted, before, is_sorted=True)
            .select_from(PEOPLE.joined())
            .where(PEOPLE.key == wanted.pin, PEOPLE.record_id <= last)
        )
        unlisted = self._query(wanted, before, is_sorted=True).where(
            attendance.c.pin == wanted.pin, attendance.c.id > last
        )
        return [listed, unlisted]

    def _query(
        self, wanted: PunchFilter, before: TimePlace | None, *, is_sorted: bool = False
    ) -> Select[tuple[str, int]]:
        instants, window = period_of(wanted)
        # With an expression instead of the column, records are found first and sorted afterwards.
        is_sorted = is_sorted or (wanted.doubt is not None and not window)
        time = attendance.c.time + literal("") if is_sorted else attendance.c.time
        query = select(attendance.c.time, attendance.c.id).where(
            *instants, *kinds_of(wanted), *(() if is_sorted else window)
        )
        if wanted.device is not None and wanted.with_history:
            keys = keys_with_history(wanted.device)
            query = query.where(attendance.c.device_id.in_(keys))
        elif wanted.device is not None:
            query = query.where(attendance.c.device_id == key_of(wanted.device))
        if before is not None:
            query = query.where(
                time <= before.time, or_(time < before.time, attendance.c.id < before.id)
            )
        return query.order_by(time.desc(), attendance.c.id.desc())
