"""Terminal clocks: time zones, wall clock times and their instants (spec 5, 11.2).

No function reads a clock: instants are passed in, in seconds since the epoch.
"""

from __future__ import annotations

import datetime
import functools
import zoneinfo
from collections.abc import Iterable, Mapping
from typing import cast

from ..phrases import Phrase, words_of
from .suggestions import did_you_mean, meaning_one_of

AMBIGUOUS = "ambiguous"
"""Doubt: the time occurs twice in the zone; the first occurrence is used."""
NONEXISTENT = "nonexistent"
"""Doubt: the zone skips the time."""
FUTURE = "future"
"""Doubt: the time is more than `FAR_FUTURE` ahead."""
PAST = "past"
"""Doubt: the time is more than `FAR_PAST` ago."""
NO_ZONE = "no zone"
"""Doubt: the terminal's zone is not known, so that the instant is not known either."""
DOUBT_WORDS: Mapping[str, str] = {
    AMBIGUOUS: "occurs twice, when clocks are set back",
    NONEXISTENT: "does not occur, when clocks are set forward",
    FUTURE: "more than a day ahead",
    PAST: "more than ten years ago",
    NO_ZONE: "the zone of the terminal is not known",
}
"""Doubts about times, in words."""
DOUBTS = tuple(DOUBT_WORDS)
FAR_FUTURE = 24 * 3600
"""Seconds: a terminal clock that is a day ahead has not been set."""
FAR_PAST = 10 * 365 * 24 * 3600
"""Seconds: terminals keep records for years, and a clock that was never set is further behind."""

_MINUTE = slice(len("2015-07-30 15:16"))
_SECOND = slice(len("2015-07-30 15:16:"), None)
_SECONDS = {f"{second:02}": second for second in range(60)}
_EPOCH = datetime.datetime(1970, 1, 1)
_DAY = 24 * 3600
DAYS_KEPT = MINUTES_KEPT = 8192
"""Maximum number of cached days of a clock, and of cached minutes, before the cache is cleared."""
_PACKED_SINCE = 2000
_STAND_IN = "UTC"


class MinuteCache(dict[str, int]):
    """Start seconds of minutes by their text; most records are from a few minutes."""

    def __missing__(self, text: str) -> int:
        if len(self) >= MINUTES_KEPT:
            self.clear()
        since = datetime.datetime.fromisoformat(text) - _EPOCH
        return self.setdefault(text, since.days * _DAY + since.seconds)


MINUTES = MinuteCache()


def wall_seconds(texts: Iterable[str]) -> list[int]:
    """Wall clock seconds since 1970-01-01 00:00:00 of times as `YYYY-MM-DD HH:MM:SS`.

    Raises `ValueError` for a day that does not exist; other mistakes are not checked.
    """
    return [MINUTES[text[_MINUTE]] + _SECONDS[text[_SECOND]] for text in texts]


class WallClock:
    """Converts wall clock times of one IANA zone to instants.

    The offset of each day is looked up once; on a day on which it changes, it is looked up for each
    time.
    """

    def __init__(self, zone: zoneinfo.ZoneInfo) -> None:
        self._zone = zone
        self.offsets: dict[int, int | None] = {}

    def utc(self, text: str) -> int:
        """Instant (seconds since the epoch) of a decoded time (`YYYY-MM-DD HH:MM:SS`).

        For a time that occurs twice, the first occurrence is used.
        """
        return self.instant(*wall_seconds([text]))

    def instant(self, seconds: int) -> int:
        """Instant (seconds since the epoch) of a result of `wall_seconds`."""
        offset = self._offset(seconds // _DAY)
        return self._look_up(seconds) if offset is None else seconds - offset

    def instants(self, seconds: list[int]) -> list[int] | None:
        """Instants of several times; None if the offset changes on the day of any of them."""
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
        """Doubt about a decoded time in this zone: `AMBIGUOUS`, `NONEXISTENT` or None."""
        (seconds,) = wall_seconds([text])
        if self._offset(seconds // _DAY) is not None:
            return None
        first, second = self._look_up(seconds), self._look_up(seconds, fold=1)
        if first == second:
            return None
        return AMBIGUOUS if first < second else NONEXISTENT

    def _offset(self, day: int) -> int | None:
        """Offset from UTC in seconds on a day; None if it changes on that day."""
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
    """Doubt about an instant (seconds) too far from `now`: `FUTURE`, `PAST` or None."""
    if instant > now + FAR_FUTURE:
        return FUTURE
    return PAST if instant < now - FAR_PAST else None


def unpack_time(number: int) -> str:
    """Unpack the wall clock time that old firmware packs into an integer.

    Months and days count from 0, and every month has 31 days: 289515406 is 2009-01-03 20:56:46.
    Raises `ValueError` if there is no such time.
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
        raise ValueError(Phrase("%(number)s is not a packed time", number=number)) from None
    return str(moment)


def pack_time(text: str) -> int:
    """Pack a wall clock time of the year 2000 or later; the inverse of `unpack_time`."""
    time = datetime.datetime.fromisoformat(text)
    days = ((time.year - _PACKED_SINCE) * 12 + time.month - 1) * 31 + time.day - 1
    return ((days * 24 + time.hour) * 60 + time.minute) * 60 + time.second


def check_zone(name: str) -> str:
    """Return the name of an IANA zone; raises `ValueError`, with a suggestion, if there is none."""
    try:
        _zone(name)
    except ValueError as error:
        raise ValueError(
            Phrase("%(error)s%(zone_meant)s", error=words_of(error), zone_meant=_zone_meant(name))
        ) from None
    return name


def _zone_meant(name: str) -> str:
    """Suggest zones for a wrong name, such as that of a city; empty if none is similar."""
    zones = _zones()
    city = name.strip().replace(" ", "_").rpartition("/")[2].casefold()
    found = [zone for zone in zones if city and zone.rpartition("/")[2].casefold() == city]
    meant = meaning_one_of(found) or did_you_mean(name, zones)
    return Phrase("; %(meant)s", meant=meant) if meant else ""


@functools.cache
def _zones() -> list[str]:
    return sorted(zoneinfo.available_timezones())


def is_zone(name: str) -> bool:
    """Whether an IANA zone of that name exists."""
    try:
        return bool(name) and bool(check_zone(name))
    except ValueError:
        return False


@functools.lru_cache(maxsize=1024)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            Phrase("%(name)s is not an IANA time zone such as Europe/Madrid", name=repr(name[:40]))
        ) from None


class UnknownClock(WallClock):
    """The clock of a terminal whose time zone is not known.

    Times are taken as UTC, which is off by up to 14 hours, and each is in doubt.
    """

    def __init__(self) -> None:
        super().__init__(_zone(_STAND_IN))

    def instants(self, seconds: list[int]) -> list[int] | None:
        """Return None, because every time is in doubt."""
        return None

    def doubt(self, text: str) -> str | None:
        """Return `NO_ZONE`."""
        return NO_ZONE


@functools.lru_cache(maxsize=1024)
def wall_clock(zone: str | None) -> WallClock:
    """The clock of an IANA zone, or of an unknown one for None; raises `ValueError`."""
    return UnknownClock() if zone is None else WallClock(_zone(zone))


def doubt_about(clock: WallClock, text: str, instant: int, now: int) -> str | None:
    """Doubt about a time of a clock; `instant` and `now` are in seconds."""
    doubt = clock.doubt(text)
    return doubt if doubt == NO_ZONE else far_off(instant, now) or doubt


def local_time(zone: str | None, instant: float) -> str:
    """Wall clock time (`YYYY-MM-DD HH:MM:SS`) of a zone at an instant; None means UTC."""
    local = datetime.datetime.fromtimestamp(instant, _zone(zone or _STAND_IN))
    return f"{local:%Y-%m-%d %H:%M:%S}"


def zone_option(zone: str | None, instant: float) -> str:
    """The `TimeZone` option for the offset of a zone at an instant (spec 5).

    Empty if the zone is not known: then no offset is sent, and the terminal keeps its clock. Whole
    hours between -12 and 12, both excluded, are sent in hours, and all other offsets in minutes.
    The protocol cannot express a nonzero offset of under an hour; no zone has one today, and the
    nearest hour replaces it.
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
