"""The instants of attendance records, reckoned for many at once."""

from __future__ import annotations

from typing import Any, cast

from ...protocol.times import FAR_FUTURE, FAR_PAST, NO_ZONE, WallClock, far_off
from .plain import AttendanceRows
from .tables import ATTLOG

_TIME = ATTLOG.names.index("time")
_OFFSET = ATTLOG.names.index("time_offset")


def reckon(
    rows: AttendanceRows, clock: WallClock, now: int
) -> tuple[list[int], list[str | None] | None]:
    """Seconds since the epoch of each record: by its own offset (2.4.2) where it has one.

    Beside them, what is doubtful about each; None if nothing is about any. `now` is in seconds.
    """
    offsets = cast(list[int | None], rows.columns[_OFFSET]) if len(rows.columns) > _OFFSET else []
    own = offsets.count(None) < len(offsets)
    instants = None if own else clock.instants(rows.seconds)
    doubts: list[str | None] | None = None
    if instants is None:
        times = cast(list[Any], rows.columns[_TIME])
        offsets = offsets or [None] * len(rows)
        instants = [
            clock.instant(seconds) if offset is None else seconds - offset
            for seconds, offset in zip(rows.seconds, offsets, strict=True)
        ]
        doubts = [
            clock.doubt(time) if offset is None else None
            for time, offset in zip(times, offsets, strict=True)
        ]
    if instants and (max(instants) > now + FAR_FUTURE or min(instants) < now - FAR_PAST):
        # A clock that is not set is as far off in all records, but for those at the edge.
        far = [far_off(instant, now) for instant in instants]
        doubts = [
            other if other == NO_ZONE else one or other
            for one, other in zip(far, doubts or far, strict=True)
        ]
    return instants, doubts
