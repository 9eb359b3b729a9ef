"""Days and wall clock times that people enter, as browsers send them."""

from __future__ import annotations

import datetime
import re
from zoneinfo import ZoneInfo

from .phrases import Phrase

NO_DAY = Phrase("This is not a date such as 2026-03-01.")
NO_PERIOD = Phrase("The last day is before the first one.")


def midnight(day: datetime.date, zone: ZoneInfo) -> int:
    """Return the begin of a day, in seconds since the epoch."""
    return int(datetime.datetime.combine(day, datetime.time(), zone).timestamp())


def typed_midnight(text: str, zone: ZoneInfo, days: int = 0) -> int | None:
    """Return the begin of a day as browsers send it, or of one some days later; None for no day.

    `ValueError` if it is invalid.
    """
    if not text:
        return None
    try:
        return midnight(datetime.date.fromisoformat(text) + datetime.timedelta(days=days), zone)
    except (ValueError, OverflowError):
        raise ValueError(NO_DAY) from None


_WALL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?", re.ASCII)


def wall_time(text: str) -> str:
    """Return what a picker of browsers sends as `YYYY-MM-DD HH:MM:SS`; any other text as it is."""
    found = _WALL.fullmatch(text)
    return text if found is None else f"{found[1]} {found[2]}{found[3] or ':00'}"


def for_picker(text: object) -> str | None:
    """Return a stored wall clock time as a picker takes it; None for one that it cannot show."""
    found = _WALL.fullmatch(str(text or ""))
    if found is None:
        return None if text else ""
    return f"{found[1]}T{found[2]}{found[3] or ':00'}"
