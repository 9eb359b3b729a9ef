"""Days that people type in, and their begin in the zone of the visit."""

from __future__ import annotations

import datetime
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
