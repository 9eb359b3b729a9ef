"""Times for people: shown in the time zone of this machine, and read from words."""

from __future__ import annotations

import datetime
import os
import re
import zoneinfo
from collections.abc import Mapping

import attrs
import click

from ..protocol.suggestions import did_you_mean

TIME_FORMAT = (
    "ISO 8601 date or time, or now, today, yesterday; without an offset, of this machine's zone."
)
"""Help text for options that take a time."""
LATER_FORMAT = "ISO 8601 date or time, or tomorrow; without an offset, of this machine's zone."
"""Help text for options that take a time in the future."""
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def shown_instant(value: object) -> object:
    """Format an instant of the API on the clock of this machine, without fractions of a second."""
    found = _instant(value)
    return value if found is None else f"{found.astimezone():%Y-%m-%d %H:%M:%S}"


def zoned_instant(value: object) -> object:
    """Format an instant of the API with the zone, where it stands alone."""
    shown = shown_instant(value)
    return value if shown is value else f"{shown} {zone_name()}"


def zone_name() -> str:
    """Return the zone of shown instants: its IANA name if known, or else its present offset."""
    from ..clock import machine_zone  # used by lists only

    offset = datetime.datetime.now().astimezone().utcoffset() or datetime.timedelta()
    found = machine_zone(os.environ)
    if found is not None and offset == datetime.datetime.now(zoneinfo.ZoneInfo(found)).utcoffset():
        return found
    minutes = offset // datetime.timedelta(minutes=1)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours:02}:{rest:02}"


_UTC = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]+)?Z", re.ASCII)


def with_local_times(text: str) -> str:
    """Show the instants in a sentence of the API on the clock of this machine, with its zone."""
    return _UTC.sub(lambda found: str(zoned_instant(found[0])), text)


def shown_wall_time(value: object) -> object:
    """Format a wall clock time of the API."""
    return value.replace("T", " ")[:19] if isinstance(value, str) else value


def point_in_time(context: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Read a time: words, or ISO 8601; return ISO 8601. Other text is a usage error."""
    if value is None:
        return None
    word = value.strip().lower()
    if word == "now":
        return _utc(datetime.datetime.now(datetime.UTC))
    if word in _DAYS:
        return _utc(midnight(_DAYS[word]))
    try:
        found = datetime.datetime.fromisoformat(value)
        return value if found.tzinfo is not None else _utc(found.astimezone())
    except (ValueError, OverflowError):
        meant = did_you_mean(word, ["now", *_DAYS])
        raise click.BadParameter(
            f"{value[:40]!r} is not a time such as 2026-03-01, 2026-03-01T08:00, now, yesterday, "
            f"today or tomorrow.{meant and f' {meant.capitalize()}'}",
            context,
            param,
        ) from None


def future_time(context: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Read a time as `point_in_time` does; one that was over a minute ago is a usage error."""
    read = point_in_time(context, param, value)
    at = _instant(read)
    grace = datetime.timedelta(minutes=1)
    if at is not None and at + grace < datetime.datetime.now(datetime.UTC):
        raise click.BadParameter(f"{str(value)[:40]!r} is over already.", context, param)
    return read


def midnight(days: int = 0) -> datetime.datetime:
    """Return the start of today, or of another day, on the clock of this machine."""
    day = datetime.datetime.now().date() + datetime.timedelta(days=days)
    return datetime.datetime.combine(day, datetime.time()).astimezone()


_STORED = ("received_at", "recorded_at", "created_at", "at", "parked_at")
"""Keys of the time at which an item was stored; an item has one of them."""


@attrs.frozen
class Period:
    """Period of time; an open end is None.

    The time of an item of the API is its instant; without one, the wall clock time of its terminal,
    and without that, when it was stored.
    """

    start: datetime.datetime | None
    end: datetime.datetime | None

    @classmethod
    def of_today(cls) -> Period:
        """Return today, on the clock of this machine."""
        return cls(midnight(), midnight(1))

    @classmethod
    def between(cls, since: str | None, until: str | None) -> Period:
        """Return the period between two times as `point_in_time` returns them."""
        return cls(_instant(since), _instant(until))

    @property
    def is_reversed(self) -> bool:
        """Whether it ends before it begins."""
        return self.start is not None and self.end is not None and self.end < self.start

    def has(self, item: Mapping[str, object]) -> bool:
        """Whether an item is of this period."""
        at = _instant(item.get("utc"))
        if at is None and isinstance(item.get("time"), str):
            wall = str(shown_wall_time(item["time"]))
            return (self.start is None or wall >= _wall(self.start)) and (
                self.end is None or wall < _wall(self.end)
            )
        at = at or _stored_at(item)
        return (
            at is not None
            and (self.start is None or self.start <= at)
            and (self.end is None or at < self.end)
        )

    def begins_after(self, item: Mapping[str, object]) -> bool:
        """Whether an item was stored before the period began, so that all earlier ones were."""
        at = _stored_at(item)
        return at is not None and self.start is not None and at < self.start


def _stored_at(item: Mapping[str, object]) -> datetime.datetime | None:
    return next((at for at in map(_instant, map(item.get, _STORED)) if at is not None), None)


def _wall(moment: datetime.datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


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
