"""Times as the API shows and takes them: ISO 8601, and instants end in `Z`."""

from __future__ import annotations

import datetime


def instant(milliseconds: int) -> str:
    """An instant in ISO 8601, UTC."""
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_or_none(milliseconds: int | None) -> str | None:
    """An instant, or nothing."""
    return None if milliseconds is None else instant(milliseconds)


def parse_instant(text: str) -> int:
    """Seconds since the epoch of an ISO 8601 date or time; UTC where it names no zone.

    `ValueError` if it is none.
    """
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is not an ISO 8601 time such as 2026-03-01 or 2026-03-01T08:00:00Z"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return int(moment.timestamp())
