"""Clocks of terminals: zones, wall clock times and the instants they stand for (5, 11.2).

Nothing here reads a clock: instants are passed in, as seconds since the epoch.
"""

from __future__ import annotations

import datetime
import functools
import zoneinfo

_BUCKET = len("2015-07-30 15:1")
_MINUTE = slice(len("2015-07-30 15:1"), len("2015-07-30 15:16"))
_SECOND = slice(len("2015-07-30 15:16:"), len("2015-07-30 15:16:28"))
_BUCKETS_KEPT = 8192


class WallClock:
    """Turns the wall clock times of one IANA zone into instants, quickly for times close together.

    Offsets are looked up once for every ten minutes in which they do not change.
    """

    def __init__(self, zone: zoneinfo.ZoneInfo) -> None:
        self._zone = zone
        self._buckets: dict[str, int] = {}

    def utc(self, text: str) -> int:
        """Seconds since the epoch of a decoded time (`YYYY-MM-DD HH:MM:SS`).

        A time that the zone has twice is taken as the first of the two.
        """
        bucket = text[:_BUCKET]
        start = self._buckets.get(bucket)
        if start is None:
            start = self._instant(bucket + "0:00")
            if self._instant(bucket + "9:59") - start != 599:
                return self._instant(text)
            if len(self._buckets) >= _BUCKETS_KEPT:
                self._buckets.clear()
            self._buckets[bucket] = start
        return start + int(text[_MINUTE]) * 60 + int(text[_SECOND])

    def _instant(self, text: str) -> int:
        local = datetime.datetime.fromisoformat(text).replace(tzinfo=self._zone)
        return int((local - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)).total_seconds())


def check_zone(name: str) -> str:
    """Return the name of an IANA zone; `ValueError` if there is no such zone."""
    _zone(name)
    return name


@functools.lru_cache(maxsize=1024)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Madrid") from None


@functools.lru_cache(maxsize=1024)
def wall_clock(zone: str) -> WallClock:
    """The clock of an IANA zone; `ValueError` if there is no such zone."""
    return WallClock(_zone(zone))


def zone_option(zone: str, instant: float) -> str:
    """The `TimeZone` value for the offset that a zone has at an instant (5).

    Whole hours between -12 and 12, both excluded, are sent in hours; everything else in minutes.
    The protocol has no value for an offset of under an hour either side of UTC that is not zero;
    no zone of today has one, and the nearest hour stands for it.
    """
    offset = datetime.datetime.fromtimestamp(instant, _zone(zone)).utcoffset()
    seconds = 0 if offset is None else int(offset.total_seconds())
    minutes = round(seconds / 60)
    if minutes % 60 == 0 and abs(minutes) < 12 * 60:
        return str(minutes // 60)
    if abs(minutes) < 60:
        return str(round(minutes / 60))
    return str(minutes)
