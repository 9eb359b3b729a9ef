"""The instants of attendance records, reckoned for many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from ..protocol.records import Row
from ..protocol.tables import ATTLOG
from ..protocol.times import wall_clock

_FEW = 8
"""Records of which each is looked up by itself."""
_TIME = ATTLOG.names.index("time")
_OFFSET = ATTLOG.names.index("time_offset")
_UTC = wall_clock("UTC").utc
_DATE = slice(len("2015-07-30"))
_MINUTE = slice(len("2015-07-30 "), len("2015-07-30 15:16"))
_SECOND = slice(len("2015-07-30 15:16:"), None)
_MINUTES = {
    f"{hour:02}:{minute:02}": hour * 3600 + minute * 60
    for hour in range(24)
    for minute in range(60)
}
_SECONDS = {f"{second:02}": second for second in range(60)}
_LAST_SECOND = 86_399


def instants_of(rows: Sequence[Row], utc: Callable[[str], int]) -> list[int]:
    """Seconds since the epoch of each record: by its own offset (2.4.2) where it has one.

    `utc` gives them for a wall clock time. Of many records, those of one day are reckoned from its
    beginning, unless the clock was changed on it; no zone has ever done so twice in three days.
    """
    known = cast(Sequence[Any], rows)
    few = len(rows) < _FEW
    begins: dict[str, int | None] = {}
    instants: list[int] = []
    for row in known:
        time = row[_TIME]
        if row[_OFFSET] is not None:
            instants.append(_UTC(time) - row[_OFFSET])
            continue
        if few:
            instants.append(utc(time))
            continue
        day = time[_DATE]
        if day not in begins:
            begins[day] = _begin(day, utc)
        begin = begins[day]
        if begin is None:
            instants.append(utc(time))
        else:
            instants.append(begin + _MINUTES[time[_MINUTE]] + _SECONDS[time[_SECOND]])
    return instants


def _begin(day: str, utc: Callable[[str], int]) -> int | None:
    """The instant at which a day begins; None if it has more or fewer seconds than others."""
    begin = utc(f"{day} 00:00:00")
    return begin if utc(f"{day} 23:59:59") - begin == _LAST_SECOND else None
