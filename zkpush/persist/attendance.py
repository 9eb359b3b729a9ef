"""Attendance records in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, RowMapping, func, select
from zope.interface import implementer

from ..interfaces import IAttendance
from ..model import Page, Record
from ..protocol.records import Row
from ..protocol.tables import ATTLOG
from ..protocol.times import wall_clock
from .schema import attendance, devices

_COLUMNS = ("device_id", "utc", "received_at", *ATTLOG.names, "extra", "raw")
_TIME = ATTLOG.names.index("time")
_OFFSET = ATTLOG.names.index("time_offset")


@implementer(IAttendance)
class Attendance:
    """The attendance records, on one connection."""

    def __init__(self, connection: Connection, placeholder: str) -> None:
        self._connection = connection
        self._insert = (
            f"INSERT INTO {attendance.name} ({', '.join(_COLUMNS)}) "  # noqa: S608 - no input
            f"VALUES ({', '.join([placeholder] * len(_COLUMNS))}) ON CONFLICT DO NOTHING"
        )

    def add(self, device_id: int, rows: Sequence[Row], utc: Callable[[str], int], now: int) -> None:
        """Store decoded rows; a record that is there already stays as it is.

        The rows go to the driver as they were decoded: nothing is built for a record on the way.
        """
        if rows:
            self._connection.exec_driver_sql(
                self._insert,
                [(device_id, _instant(row, utc), now, *row) for row in rows],
            )

    def page(
        self,
        part: Page,
        device: str | None,
        pin: str | None,
        since: int | None,
        until: int | None,
    ) -> list[Record]:
        """List records by id; `since` (inclusive) and `until` (exclusive) are in seconds, UTC."""
        query = (
            select(attendance, devices.c.sn.label("device"))
            .join(devices)
            .where(attendance.c.id > part.after)
            .order_by(attendance.c.id)
            .limit(part.limit)
        )
        if device is not None:
            query = query.where(devices.c.sn == device)
        if pin is not None:
            query = query.where(attendance.c.pin == pin)
        if since is not None:
            query = query.where(attendance.c.utc >= since)
        if until is not None:
            query = query.where(attendance.c.utc < until)
        return [_record(row._mapping) for row in self._connection.execute(query)]

    def count(self, device_id: int | None) -> int:
        """Count the records of a terminal, or all."""
        query = select(func.count()).select_from(attendance)
        if device_id is not None:
            query = query.where(attendance.c.device_id == device_id)
        return int(self._connection.execute(query).scalar_one())


def _instant(row: Row, utc: Callable[[str], int]) -> int:
    """The instant of a record: by its own offset (2.4.2) where it has one, else by the zone."""
    offset = row[_OFFSET]
    if isinstance(offset, int):
        return wall_clock("UTC").utc(str(row[_TIME])) - offset
    return utc(str(row[_TIME]))


def _record(row: RowMapping) -> Record:
    record: dict[str, object] = {str(name): value for name, value in row.items()}
    del record["device_id"], record["raw"]
    extra = record.pop("extra")
    if isinstance(extra, str):
        record["extra"] = msgspec.json.decode(extra)
    return record
