"""Conditions of queries for attendance records."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, TextClause, and_, false, func, or_, select, text, true

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
    """Conditions on the doubt, the type, the area and the spans of records."""
    found: list[ColumnElement[bool] | TextClause] = []
    if wanted.doubt is not None:
        found.append(attendance.c.doubt == wanted.doubt)
    if wanted.record_type is not None:
        found.append(TYPES[wanted.record_type])
    if wanted.area is not None:
        area = func.coalesce(devices.c.area, DEFAULT_AREA)
        of_area = select(devices.c.id).where(area == wanted.area)
        found.append(attendance.c.device_id.in_(of_area))
    if wanted.spans is not None:
        found.append(in_spans(attendance.c.utc, wanted.spans))
    return found


def in_spans(
    instant: ColumnElement[int], spans: Sequence[tuple[int | None, int | None]]
) -> ColumnElement[bool]:
    """Condition on an instant: that it is in one of some periods."""
    return or_(false(), *(_within(instant, *span) for span in spans))


def _within(
    instant: ColumnElement[int], since: int | None, until: int | None
) -> ColumnElement[bool]:
    begin = true() if since is None else instant >= since
    return and_(begin, true() if until is None else instant < until)


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
