"""Conditions of queries for attendance records."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from sqlalchemy import ColumnElement, TextClause, func, or_, select, text

from ...persist.schema import devices
from ...protocol.codes import RecordType
from ..people.store import DEFAULT_AREA
from .model import PunchFilter
from .schema import attendance

TYPES: Mapping[RecordType, ColumnElement[bool] | TextClause] = {
    # Not `coalesce`, whose result PostgreSQL cannot estimate.
    RecordType.ATTENDANCE: or_(
        attendance.c.record_type.is_(None), attendance.c.record_type == RecordType.ATTENDANCE
    ),
    # Literal, to match the partial index.
    RecordType.VERIFICATION: text("record_type = 1"),
}
_DAY = 86_400
"""Limit in seconds for the offset from UTC, of zones and of single records."""


def kinds_of(wanted: PunchFilter) -> list[ColumnElement[bool] | TextClause]:
    """Conditions on the doubt, the type and the area of records."""
    found: list[ColumnElement[bool] | TextClause] = []
    if wanted.doubt is not None:
        found.append(attendance.c.doubt == wanted.doubt)
    if wanted.record_type is not None:
        found.append(TYPES[wanted.record_type])
    if wanted.area is not None:
        area = func.coalesce(devices.c.area, DEFAULT_AREA)
        of_area = select(devices.c.id).where(area == wanted.area)
        found.append(attendance.c.device_id.in_(of_area))
    return found


def period_of(
    wanted: PunchFilter,
) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """Conditions on the instants of records, and wider ones that the index of times can use."""
    instants, window = [], []
    if wanted.since is not None:
        instants.append(attendance.c.utc >= wanted.since)
        window.append(attendance.c.time >= _wall_time(wanted.since - _DAY))
    if wanted.until is not None:
        instants.append(attendance.c.utc < wanted.until)
        window.append(attendance.c.time < _wall_time(wanted.until + _DAY))
    return instants, window


def _wall_time(instant: int) -> str:
    """Format an instant for comparison with wall clock times; limited to years 1 to 9999."""
    seconds = min(max(instant, -62_135_596_800), 253_402_300_799)
    return str(datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds))
