"""Times in the API: ISO 8601; instants end in `Z`."""

from __future__ import annotations

import datetime
import functools

from msgspec import Meta

from ..phrases import Phrase, words_of
from ..protocol.times import wall_seconds
from .arguments import checked_by

_FIRST = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)
_LAST = datetime.datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=datetime.UTC)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)
_EARLIEST, _LATEST = ((moment - _EPOCH) // _MILLISECOND for moment in (_FIRST, _LAST))


def instant(milliseconds: int) -> str:
    """Format an instant in ISO 8601, UTC.

    Instants outside the years 1 to 9999, which ISO 8601 cannot represent, are clamped.
    """
    within = min(max(milliseconds, _EARLIEST), _LATEST)
    moment = _EPOCH + within * _MILLISECOND
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(time: str, utc: int) -> str:
    """Format a wall clock time, `YYYY-MM-DD HH:MM:SS`, with its UTC offset, in ISO 8601.

    `utc` is the same instant, in seconds since the epoch.
    """
    (seconds,) = wall_seconds([time])
    return time.replace(" ", "T") + offset(seconds - utc)


@functools.lru_cache(maxsize=256)
def offset(seconds: int) -> str:
    """Format a UTC offset in ISO 8601: `+02:00`, with seconds only where it has some."""
    minutes, rest = divmod(abs(seconds), 60)
    text = f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{rest:02}" if rest else text


def instant_or_none(milliseconds: int | None) -> str | None:
    """Format an instant; None for None."""
    return None if milliseconds is None else instant(milliseconds)


def instant_of(name: str, text: str | None) -> int | None:
    """Parse a time argument with `parse_instant`; None if it is absent.

    `ValueError` names the argument.
    """
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        hint = " (in a URL, write + as %2B)" if text is not None and " " in text[10:] else ""
        raise ValueError(
            Phrase("%(name)s: %(error)s%(hint)s", name=name, error=words_of(error), hint=hint)
        ) from None


def time_argument(description: str) -> Meta:
    """Describe an argument that is a time; an invalid one is refused with the other mistakes."""
    return checked_by(instant_of, description)


def parse_instant(text: str) -> int:
    """Parse an ISO 8601 date or time into seconds since the epoch; UTC without an offset.

    `ValueError` if it is invalid, or outside the years 1 to 9999 in UTC.
    """
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            Phrase(
                "%(text)s is not an ISO 8601 time such as 2026-03-01 or 2026-03-01T08:00:00Z",
                text=repr(text[:40]),
            )
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    if not _FIRST <= moment <= _LAST:
        raise ValueError(
            Phrase("%(text)s is not within the years 1 to 9999 in UTC", text=repr(text[:40]))
        )
    return (moment - _EPOCH) // datetime.timedelta(seconds=1)
