"""Periods of whole days, in which the console shows attendance."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Literal
from zoneinfo import ZoneInfo

import attrs

from ...manage.console.days import midnight
from ...manage.console.phrases import Phrase

DAY = datetime.timedelta(days=1)
PeriodName = Literal["today", "yesterday", "this-week", "last-week", "this-month", "last-month"]


@attrs.frozen
class DayPeriod:
    """Days, both inclusive; None for no limit."""

    first: datetime.date | None
    last: datetime.date | None

    def since(self, zone: ZoneInfo) -> int | None:
        """Return the first instant, in seconds since the epoch."""
        return None if self.first is None else midnight(self.first, zone)

    def until(self, zone: ZoneInfo) -> int | None:
        """Return the instant after the last one, in seconds since the epoch."""
        if self.last is None or self.last == datetime.date.max:
            return None
        return midnight(self.last + DAY, zone)

    @property
    def name(self) -> str:
        """The days as part of the name of a file; empty for all."""
        days = dict.fromkeys(str(day) for day in (self.first, self.last) if day is not None)
        return "_".join(days)


def _week(day: datetime.date) -> DayPeriod:
    """The week from Monday to Sunday, whatever the language: it is for payroll."""
    monday = day - day.weekday() * DAY
    return DayPeriod(monday, monday + 6 * DAY)


def month_of(day: datetime.date) -> DayPeriod:
    """Return the month of a day."""
    first = day.replace(day=1)
    return DayPeriod(first, (first + 31 * DAY).replace(day=1) - DAY)


_PERIODS: Mapping[PeriodName, tuple[Phrase, Callable[[datetime.date], DayPeriod]]] = {
    "today": (Phrase("Today"), lambda day: DayPeriod(day, day)),
    "yesterday": (Phrase("Yesterday"), lambda day: DayPeriod(day - DAY, day - DAY)),
    "this-week": (Phrase("This week"), _week),
    "last-week": (Phrase("Last week"), lambda day: _week(day - 7 * DAY)),
    "this-month": (Phrase("This month"), month_of),
    "last-month": (Phrase("Last month"), lambda day: month_of(day.replace(day=1) - DAY)),
}
PERIODS: Mapping[PeriodName, Phrase] = {name: words for name, (words, _) in _PERIODS.items()}
"""Periods to choose from, with their words."""

WEEKS: frozenset[PeriodName] = frozenset({"this-week", "last-week"})
"""Periods whose words do not say their days, for those whose week begins on another day."""


def named_period(name: PeriodName, today: datetime.date) -> DayPeriod:
    """Return the days of a period."""
    _, find = _PERIODS[name]
    return find(today)


def parse_day(text: str) -> datetime.date | None:
    """Read a day as browsers send it; None for none. `ValueError` if it is invalid."""
    return datetime.date.fromisoformat(text) if text else None
