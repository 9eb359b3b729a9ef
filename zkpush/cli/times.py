"""Times for people: shown in the time zone of this machine, and read from words."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import click

TIME_FORMAT = (
    "ISO 8601 date or time, or now, today, yesterday; without an offset, of this machine's zone."
)
"""Help text for options that take a time."""
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def shown_instant(value: object) -> object:
    """Format an instant of the API on the clock of this machine, without fractions of a second."""
    found = _instant(value)
    return value if found is None else f"{found.astimezone():%Y-%m-%d %H:%M:%S}"


def shown_wall_time(value: object) -> object:
    """Format a wall clock time of the API."""
    return value.replace("T", " ")[:19] if isinstance(value, str) else value


def point_in_time(context: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Read a time: words, or ISO 8601. Other text is left for the API to refuse."""
    if value is None:
        return None
    word = value.strip().lower()
    if word == "now":
        return _utc(datetime.datetime.now(datetime.UTC))
    if word in _DAYS:
        return _utc(midnight(_DAYS[word]))
    try:
        found = datetime.datetime.fromisoformat(value)
    except ValueError:
        return value
    return value if found.tzinfo is not None else _utc(found.astimezone())


def midnight(days: int = 0) -> datetime.datetime:
    """Return the start of today, or of another day, on the clock of this machine."""
    day = datetime.datetime.now().date() + datetime.timedelta(days=days)
    return datetime.datetime.combine(day, datetime.time()).astimezone()


def of_today() -> tuple[Callable[[dict[str, object]], bool], Callable[[dict[str, object]], bool]]:
    """Return whether an item of the API is of today, and whether all earlier ones are older.

    The time of an item is its instant; without one, the wall clock time of its terminal, and
    without that, when it was received.
    """
    start, end = midnight(), midnight(1)

    def is_of_today(item: dict[str, object]) -> bool:
        at = _instant(item.get("utc"))
        if at is None and isinstance(item.get("time"), str):
            return str(item["time"])[:10] == f"{start:%Y-%m-%d}"
        at = at or _instant(item.get("received_at")) or _instant(item.get("recorded_at"))
        return at is not None and start <= at < end

    def is_older(item: dict[str, object]) -> bool:
        at = _instant(item.get("received_at") or item.get("recorded_at"))
        return at is not None and at < start

    return is_of_today, is_older


def _instant(value: object) -> datetime.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if found.tzinfo is None else found


def _utc(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
