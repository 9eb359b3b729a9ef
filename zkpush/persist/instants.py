"""The instants of attendance records, reckoned for many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ..protocol.records import Row
from ..protocol.tables import ATTLOG
from ..protocol.times import (
    DATE,
    FAR_FUTURE,
    FAR_PAST,
    MINUTE,
    MINUTES,
    SECOND,
    SECONDS,
    WallClock,
    far_off,
    wall_clock,
)

_TIME = ATTLOG.names.index("time")
_OFFSET = ATTLOG.names.index("time_offset")
_UTC = wall_clock("UTC").utc


def reckon(
    rows: Sequence[Row], clock: WallClock, now: int
) -> tuple[list[int], list[str | None] | None]:
    """Seconds since the epoch of each record: by its own offset (2.4.2) where it has one.

    Beside them, what is doubtful about each; None if nothing is about any. `now` is in seconds.
    """
    known = cast(Sequence[Any], rows)
    day, begin = "", None
    instants: list[int] = []
    doubts: dict[int, str] = {}
    for row in known:
        time = row[_TIME]
        if row[_OFFSET] is not None:
            instants.append(_UTC(time) - row[_OFFSET])
            continue
        if time[DATE] != day:
            day = time[DATE]
            begin = clock.begin(day)
        if begin is not None:
            instants.append(begin + MINUTES[time[MINUTE]] + SECONDS[time[SECOND]])
            continue
        doubt = clock.doubt(time)
        if doubt is not None:
            doubts[len(instants)] = doubt
        instants.append(clock.utc(time))
    far = None
    if instants and (max(instants) > now + FAR_FUTURE or min(instants) < now - FAR_PAST):
        # A clock that is not set is as far off in all records, but for those at the edge.
        far = [far_off(instant, now) for instant in instants]
    if not doubts:
        return instants, far
    return instants, [(far and far[place]) or doubts.get(place) for place in range(len(rows))]
