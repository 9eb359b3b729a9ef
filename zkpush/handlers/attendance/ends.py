"""First and last punch of each terminal.

Theory of operation. No index finds the records of one terminal by their time: that of identities
begins with the time, and an index of its own would cost more than the rest of an upload. So the
times of the first and the last punch of each terminal are kept apart, of all records up to an id. A
job extends this every few seconds (`zkpush.handlers.attendance.jobs`). A query looks at the few
newer records, and finds the punches of both times in the index of identities. If a punch was
erased, the next one is found there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, literal, select, update

from ...persist.databases import Insert, insert
from ...protocol.codes import RecordType
from .conditions import TYPES
from .schema import attendance, punch_ends, punch_ends_read

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

DUE = 2000
"""Number of new records by which the ends are extended."""
STEP = 50_000
"""Most records read at once."""
_ROW = 1
_NAMES = ("device_id", "first_time", "last_time")
_WIDEN = (
    "(device_id) DO UPDATE SET "
    "first_time = CASE WHEN excluded.first_time < punch_ends.first_time "
    "THEN excluded.first_time ELSE punch_ends.first_time END, "
    "last_time = CASE WHEN excluded.last_time > punch_ends.last_time "
    "THEN excluded.last_time ELSE punch_ends.last_time END"
)
_PUNCHES = TYPES[RecordType.ATTENDANCE]


class Ends(NamedTuple):
    """Wall clock times of the first and the last punch of a terminal."""

    device_id: int
    first: str
    last: str


class NewEnds(NamedTuple):
    """What further records change."""

    last_id: int
    """Last id of these records."""
    ends: Sequence[Ends]


class PunchEnds:
    """Finds the first and the last punch of a terminal by the terminal's clock."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def read_until(self) -> int:
        """Return the last id of the records that are taken into account; 0 for none."""
        query = select(punch_ends_read.c.last_id)
        return int(self._connection.execute(query).scalar_one_or_none() or 0)

    def known(self, device_id: int) -> Ends | None:
        """Return the ends of the records that are taken into account; None without any."""
        query = select(punch_ends).where(punch_ends.c.device_id == device_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Ends(*row)

    def ids(self, device_id: int) -> tuple[int, int] | None:
        """Return the ids of the first and the last punch of a terminal; None without any."""
        known = self.known(device_id)
        newer = self._newer(device_id)
        times = [one for one in (known, newer) if one is not None]
        if not times:
            return None
        begin = min(one.first for one in times)
        end = max(one.last for one in times)
        first = self._outermost(device_id, begin, end, is_last=False)
        last = self._outermost(device_id, begin, end, is_last=True)
        return None if first is None or last is None else (first[0], last[0])

    def mend(self, device_ids: Collection[int]) -> None:
        """Correct the ends of terminals of which records were erased."""
        for device_id in sorted(device_ids):
            known = self.known(device_id)
            if known is None:
                continue
            _, begin, end = known
            first = self._outermost(device_id, begin, end, is_last=False)
            last = self._outermost(device_id, begin, end, is_last=True)
            of_terminal = punch_ends.c.device_id == device_id
            if first is None or last is None:
                self._connection.execute(delete(punch_ends).where(of_terminal))
            elif (first[1], last[1]) != (begin, end):
                values = {"first_time": first[1], "last_time": last[1]}
                self._connection.execute(update(punch_ends).where(of_terminal).values(values))

    def next_ends(self, due: int) -> NewEnds | None:
        """Return what the next records change; None while there are fewer than `due`."""
        read = self.read_until()
        newest = self._connection.execute(select(func.max(attendance.c.id))).scalar_one() or 0
        if newest - read < due:
            return None
        until = min(newest, read + STEP)
        time = attendance.c.time + literal("")
        query = (
            select(attendance.c.device_id, func.min(time), func.max(time))
            .where(attendance.c.id > read, attendance.c.id <= until, _PUNCHES)
            .group_by(attendance.c.device_id)
        )
        return NewEnds(until, [Ends(*row) for row in self._connection.execute(query)])

    def extend(self, new: NewEnds) -> None:
        """Take further records into account; doing so again changes nothing."""
        if new.ends:
            columns = [*zip(*new.ends, strict=True)]
            self._tx.insert(Insert(punch_ends, _NAMES, columns, _WIDEN))
        marker = insert(self._connection, punch_ends_read).values(id=_ROW, last_id=new.last_id)
        self._connection.execute(
            marker.on_conflict_do_update(
                index_elements=[punch_ends_read.c.id],
                set_={"last_id": new.last_id},
                where=punch_ends_read.c.last_id < new.last_id,
            )
        )

    def _newer(self, device_id: int) -> Ends | None:
        """Return the ends of the records that are not taken into account yet."""
        # With an expression instead of the column, records are found by their id.
        time = attendance.c.time + literal("")
        query = select(func.min(time), func.max(time)).where(
            attendance.c.id > self.read_until(),
            attendance.c.device_id + 0 == device_id,
            _PUNCHES,
        )
        first, last = self._connection.execute(query).one()
        return None if first is None else Ends(device_id, first, last)

    def _outermost(
        self, device_id: int, begin: str, end: str, *, is_last: bool
    ) -> tuple[int, str] | None:
        """Return the id and the time of the first or last punch between two times, inclusive."""
        columns = attendance.c.time, attendance.c.id
        query = select(attendance.c.id, attendance.c.time).where(
            attendance.c.time >= begin,
            attendance.c.time <= end,
            attendance.c.device_id == device_id,
            _PUNCHES,
        )
        order = [one.desc() for one in columns] if is_last else columns
        row = self._connection.execute(query.order_by(*order).limit(1)).one_or_none()
        return None if row is None else (row.id, row.time)
