"""Clocks of terminals: zones, wall clock times and the instants they stand for (5, 11.2).

Nothing here reads a clock: instants are passed in, as seconds since the epoch.
"""

from __future__ import annotations

import datetime
import functools
import zoneinfo
from collections.abc import Iterable
from typing import cast

AMBIGUOUS = "ambiguous"
"""The doubt about a time that a zone has twice; the first of the two is taken."""
NONEXISTENT = "nonexistent"
"""The doubt about a time that a zone leaves out."""
FUTURE = "future"
"""The doubt about a time that is more than `FAR_FUTURE` ahead."""
PAST = "past"
"""The doubt about a time that is more than `FAR_PAST` ago."""
NO_ZONE = "no zone"
"""The doubt about a time of a terminal whose zone is not known: its instant is unknown, too."""
DOUBTS = (AMBIGUOUS, NONEXISTENT, FUTURE, PAST, NO_ZONE)
FAR_FUTURE = 24 * 3600
"""Seconds: a terminal's clock that is a day ahead is not set."""
FAR_PAST = 10 * 365 * 24 * 3600
"""Seconds: terminals keep records for years, and a clock that was never set is far behind."""

_MINUTE = slice(len("2015-07-30 15:16"))
_SECOND = slice(len("2015-07-30 15:16:"), None)
_SECONDS = {f"{second:02}": second for second in range(60)}
_EPOCH = datetime.datetime(1970, 1, 1)
_DAY = 24 * 3600
DAYS_KEPT = MINUTES_KEPT = 8192
"""How many days of a clock, and how many minutes, are remembered before that starts anew."""
_PACKED_SINCE = 2000
_STAND_IN = "UTC"


class MinuteCache(dict[str, int]):
    """When minutes begin, by their text; terminals send much of the same few."""

    def __missing__(self, text: str) -> int:
        if len(self) >= MINUTES_KEPT:
            self.clear()
        since = datetime.datetime.fromisoformat(text) - _EPOCH
        return self.setdefault(text, since.days * _DAY + since.seconds)


MINUTES = MinuteCache()


def wall_seconds(texts: Iterable[str]) -> list[int]:
    """The seconds that clocks count from their 1970-01-01 00:00:00 to `YYYY-MM-DD HH:MM:SS`.

    `ValueError` if one is of no calendar day; whatever else is wrong with it is not looked at.
    """
    return [MINUTES[text[_MINUTE]] + _SECONDS[text[_SECOND]] for text in texts]


class WallClock:
    """Turns the wall clock times of one IANA zone into instants.

    The offset of each day is looked up once; on a day on which it changes, that of every time is.
    """

    def __init__(self, zone: zoneinfo.ZoneInfo) -> None:
        self._zone = zone
        self.offsets: dict[int, int | None] = {}

    def utc(self, text: str) -> int:
        """Seconds since the epoch of a decoded time (`YYYY-MM-DD HH:MM:SS`).

        A time that the zone has twice is taken as the first of the two.
        """
        return self.instant(*wall_seconds([text]))

    def instant(self, seconds: int) -> int:
        """Seconds since the epoch of what `wall_seconds` gives for a time."""
        offset = self._offset(seconds // _DAY)
        return self._look_up(seconds) if offset is None else seconds - offset

    def instants(self, seconds: list[int]) -> list[int] | None:
        """The instants of many times; None if the clock is changed on the day of one of them."""
        first, last = min(seconds) // _DAY, max(seconds) // _DAY
        if first == last:
            offset = self._offset(first)
            if not offset:
                return None if offset is None else seconds
            return [second - offset for second in seconds]
        offsets = {day: self._offset(day) for day in {second // _DAY for second in seconds}}
        if None in offsets.values():
            return None
        even = cast(dict[int, int], offsets)
        return [second - even[second // _DAY] for second in seconds]

    def doubt(self, text: str) -> str | None:
        """What is doubtful about a decoded time here: `AMBIGUOUS`, `NONEXISTENT` or None."""
        (seconds,) = wall_seconds([text])
        if self._offset(seconds // _DAY) is not None:
            return None
        first, second = self._look_up(seconds), self._look_up(seconds, fold=1)
        if first == second:
            return None
        return AMBIGUOUS if first < second else NONEXISTENT

    def _offset(self, day: int) -> int | None:
        """By how many seconds the clock is ahead of UTC on a day; None if that changes on it."""
        try:
            return self.offsets[day]
        except KeyError:
            pass
        if len(self.offsets) >= DAYS_KEPT:
            self.offsets.clear()
        ends = (day * _DAY, (day + 1) * _DAY - 1)
        found = {end - self._look_up(end, fold) for end in ends for fold in (0, 1)}
        return self.offsets.setdefault(day, found.pop() if len(found) == 1 else None)

    def _look_up(self, seconds: int, fold: int = 0) -> int:
        local = _EPOCH + datetime.timedelta(seconds=seconds)
        since = local.replace(tzinfo=self._zone, fold=fold) - _EPOCH.replace(tzinfo=datetime.UTC)
        return int(since.total_seconds())


def far_off(instant: int, now: int) -> str | None:
    """Whether an instant, in seconds, is too far from now to be true: `FUTURE`, `PAST` or None."""
    if instant > now + FAR_FUTURE:
        return FUTURE
    return PAST if instant < now - FAR_PAST else None


def unpack_time(number: int) -> str:
    """The wall clock time that old firmware packs into one integer; `ValueError` if there is none.

    Months and days begin with 0, and every month has 31 of them: 289515406 is 2009-01-03 20:56:46.
    """
    rest, second = divmod(number, 60)
    rest, minute = divmod(rest, 60)
    rest, hour = divmod(rest, 24)
    rest, day = divmod(rest, 31)
    years, month = divmod(rest, 12)
    try:
        if years < 0:
            raise ValueError
        moment = datetime.datetime(_PACKED_SINCE + years, month + 1, day + 1, hour, minute, second)
    except (ValueError, OverflowError):
        raise ValueError(f"{number} is not a packed time") from None
    return str(moment)


def pack_time(text: str) -> int:
    """Pack a wall clock time of the year 2000 or later; the inverse of `unpack_time`."""
    time = datetime.datetime.fromisoformat(text)
    days = ((time.year - _PACKED_SINCE) * 12 + time.month - 1) * 31 + time.day - 1
    return ((days * 24 + time.hour) * 60 + time.minute) * 60 + time.second


def check_zone(name: str) -> str:
    """Return the name of an IANA zone; `ValueError` if there is no such zone."""
    _zone(name)
    return name


def is_zone(name: str) -> bool:
    """Whether there is an IANA zone of that name."""
    try:
        return bool(name) and bool(check_zone(name))
    except ValueError:
        return False


@functools.lru_cache(maxsize=1024)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Madrid") from None


class UnknownClock(WallClock):
    """The clock of a terminal whose zone is not known.

    Times are reckoned as if they were UTC, which is right within 14 hours, and each is in doubt.
    """

    def __init__(self) -> None:
        super().__init__(_zone(_STAND_IN))

    def instants(self, seconds: list[int]) -> list[int] | None:
        """None: each time has a doubt."""
        return None

    def doubt(self, text: str) -> str | None:
        """`NO_ZONE`."""
        return NO_ZONE


@functools.lru_cache(maxsize=1024)
def wall_clock(zone: str | None) -> WallClock:
    """The clock of an IANA zone; `ValueError` if there is no such zone. None: it is not known."""
    return UnknownClock() if zone is None else WallClock(_zone(zone))


def doubt_about(clock: WallClock, text: str, instant: int, now: int) -> str | None:
    """What is doubtful about a time of a clock and its instant, both instants in seconds."""
    doubt = clock.doubt(text)
    return doubt if doubt == NO_ZONE else far_off(instant, now) or doubt


def local_time(zone: str | None, instant: float) -> str:
    """The wall clock time that a zone has at an instant, `YYYY-MM-DD HH:MM:SS`; None means UTC."""
    local = datetime.datetime.fromtimestamp(instant, _zone(zone or _STAND_IN))
    return f"{local:%Y-%m-%d %H:%M:%S}"


def zone_option(zone: str | None, instant: float) -> str:
    """The `TimeZone` value for the offset that a zone has at an instant (5).

    Empty if the zone is not known: the terminal is not told one then, and keeps its clock.
    Whole hours between -12 and 12, both excluded, are sent in hours; everything else in minutes.
    The protocol has no value for an offset of under an hour either side of UTC that is not zero;
    no zone of today has one, and the nearest hour stands for it.
    """
    if zone is None:
        return ""
    offset = datetime.datetime.fromtimestamp(instant, _zone(zone)).utcoffset()
    seconds = 0 if offset is None else int(offset.total_seconds())
    minutes = round(seconds / 60)
    if minutes % 60 == 0 and abs(minutes) < 12 * 60:
        return str(minutes // 60)
    if abs(minutes) < 60:
        return str(round(minutes / 60))
    return str(minutes)
