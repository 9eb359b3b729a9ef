"""Attendance records by the time of the punch, the newest or the oldest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from heapq import merge
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Select, func, literal, or_, select

from ...persist.limits import terminals_in
from ...persist.paging import keys_with_history
from ...persist.schema import devices
from ..people.store import DEFAULT_AREA
from .conditions import kinds_of, period_of
from .lists import PEOPLE, TERMINALS, LateIndex, last_listed
from .model import Punch, PunchFilter
from .schema import attendance
from .store import AttendanceStore

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

CURSOR = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}_[0-9]{1,18}$"
MOST_COUNTED = 1000
"""Records that are counted to say how many there are."""
FEW_LISTED = 5000
"""Most records of terminals that are sorted by their time."""
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


@attrs.frozen(kw_only=True)
class PunchPart:
    """A page of records."""

    punches: Sequence[Punch]
    next: TimePlace | None
    """Last place of this page, behind which the next one begins; None for the last page."""
    count: int
    """Number of records from the first of this page on, or the number that there are at least."""
    is_more: bool
    """Whether there are more than `count`."""


@attrs.frozen
class ListedKeys:
    """A list to find records by, and its values that are wanted."""

    by: LateIndex
    keys: Select[Any] | Sequence[str]


class ChronologicalPunches:
    """Attendance records in the order of the terminals' wall clocks.

    The index of identities begins with the time, so a page of all people is read from it. The
    records of one person, and those of terminals with few, are found by their list and sorted.
    Terminals with many have some among the first records that the index returns.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def part(
        self,
        wanted: PunchFilter,
        size: int,
        past: TimePlace | None = None,
        *,
        oldest_first: bool = False,
    ) -> PunchPart:
        """Return a page of at most `size` records, with their number if that is quickly found.

        It begins behind the place `past`, in the given order.
        """
        listed = self._listed(wanted)
        is_counted = listed is not None or not self._is_of_some(wanted)
        most = max(MOST_COUNTED, size) if is_counted else size
        places = self._places(wanted, listed, most + 1, past, oldest_first)
        shown = places[:size]
        return PunchPart(
            punches=self._records([place.id for place in shown]),
            next=shown[-1] if len(places) > size else None,
            count=min(len(places), most),
            is_more=len(places) > most,
        )

    def page(
        self,
        wanted: PunchFilter,
        limit: int,
        past: TimePlace | None = None,
        *,
        oldest_first: bool = False,
    ) -> list[Punch]:
        """List the first records in an order, or those behind a place."""
        places = self._places(wanted, self._listed(wanted), limit, past, oldest_first)
        return self._records([place.id for place in places])

    def count(self, wanted: PunchFilter, most: int) -> int:
        """Count the records, up to `most`."""
        count = 0
        for query in self._queries(wanted, self._listed(wanted)):
            some = query.order_by(None).limit(most - count).subquery()
            total = select(func.count()).select_from(some)
            count += int(self._connection.execute(total).scalar_one())
        return count

    def _records(self, ids: Sequence[int]) -> list[Punch]:
        found = {one.id: one for one in self._tx[AttendanceStore].of_ids(ids)}
        return [found[each] for each in ids if each in found]

    def _places(
        self,
        wanted: PunchFilter,
        listed: ListedKeys | None,
        limit: int,
        past: TimePlace | None,
        oldest_first: bool,
    ) -> list[TimePlace]:
        places: list[TimePlace] = []
        for query in self._queries(wanted, listed, past, oldest_first=oldest_first):
            found = [
                TimePlace(row.time, row.id) for row in self._connection.execute(query.limit(limit))
            ]
            places = [*merge(places, found, reverse=not oldest_first)]
        return places[:limit]

    @staticmethod
    def _is_of_some(wanted: PunchFilter) -> bool:
        """Whether only some records of a period are wanted."""
        filters = wanted.device, wanted.area, wanted.areas, wanted.doubt
        return any(each is not None for each in filters)

    def _listed(self, wanted: PunchFilter) -> ListedKeys | None:
        """Choose a list; None for the index of identities."""
        if wanted.pin is not None:
            return ListedKeys(PEOPLE, [wanted.pin])
        if wanted.device is None and wanted.area is None:
            return None
        keys = terminals_of(wanted)
        some = select(TERMINALS.key).where(TERMINALS.key.in_(keys)).limit(FEW_LISTED + 1)
        count = select(func.count()).select_from(some.subquery())
        is_few = int(self._connection.execute(count).scalar_one()) <= FEW_LISTED
        return ListedKeys(TERMINALS, keys) if is_few else None

    def _queries(
        self,
        wanted: PunchFilter,
        listed: ListedKeys | None,
        past: TimePlace | None = None,
        *,
        oldest_first: bool = False,
    ) -> list[Select[tuple[str, int]]]:
        """Queries for the places of records: those in a list and newer ones, or all at once."""
        if listed is None:
            return [self._query(wanted, past, oldest_first=oldest_first)]
        by = listed.by
        last = last_listed(self._connection)
        query = self._query(wanted, past, oldest_first=oldest_first, is_sorted=True)
        return [
            query.select_from(by.joined()).where(by.key.in_(listed.keys), by.record_id <= last),
            query.where(by.column.in_(listed.keys), attendance.c.id > last),
        ]

    def _query(
        self,
        wanted: PunchFilter,
        past: TimePlace | None,
        *,
        oldest_first: bool,
        is_sorted: bool = False,
    ) -> Select[tuple[str, int]]:
        instants, window = period_of(wanted)
        # With an expression instead of the column, records are found first and sorted afterwards.
        is_sorted = is_sorted or (wanted.doubt is not None and not window)
        time = attendance.c.time + literal("") if is_sorted else attendance.c.time
        query = select(attendance.c.time, attendance.c.id).where(
            *instants, *kinds_of(wanted), *(() if is_sorted else window)
        )
        if wanted.device is not None:
            device_id = attendance.c.device_id + 0 if is_sorted else attendance.c.device_id
            query = query.where(device_id.in_(terminals_of(wanted)))
        if wanted.areas is not None:
            query = query.where((attendance.c.device_id + 0).in_(terminals_in(wanted.areas)))
        number = attendance.c.id
        if past is not None and oldest_first:
            query = query.where(time >= past.time, or_(time > past.time, number > past.id))
        elif past is not None:
            query = query.where(time <= past.time, or_(time < past.time, number < past.id))
        if oldest_first:
            return query.order_by(time, number)
        return query.order_by(time.desc(), number.desc())


def terminals_of(wanted: PunchFilter) -> Select[tuple[int]]:
    """Subquery for the keys of the terminals of a filter, or else of its area."""
    if wanted.device is None:
        return select(devices.c.id).where(
            func.coalesce(devices.c.area, DEFAULT_AREA) == wanted.area
        )
    if wanted.with_history:
        return keys_with_history(wanted.device)
    return select(devices.c.id).where(devices.c.sn == wanted.device)
