"""Nights: when the days of a terminal are counted."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from ...persist.transaction import Transaction
from ...protocol.times import local_time
from .model import AGREED, OPEN_COUNTS, CountState, NewCount
from .settings import Completeness
from .store import CountStore

DAY = 24 * 3600 * 1000
_MINUTES = 24 * 60
LAST_PART = 0.75
"""Part of the night in which terminals are asked first; the rest is left for late ones."""


class Night:
    """The daily time in which terminals are asked, by the clock of each."""

    def __init__(self, begin: str, end: str) -> None:
        """`begin` and `end` are times of day, `HH:MM`."""
        self._begin, end_ = (_minutes(text) for text in (begin, end))
        self._length = (end_ - self._begin) % _MINUTES

    def at(self, now: int, timezone: str | None) -> tuple[str, int] | None:
        """Return the date on which the present night began, and its end (ms); None by day."""
        text = local_time(timezone, now / 1000)
        minute = _minutes(text[11:16])
        passed = (minute - self._begin) % _MINUTES
        if passed >= self._length:
            return None
        date = datetime.date.fromisoformat(text[:10])
        if minute < self._begin:
            date -= datetime.timedelta(days=1)
        seconds = int(text[17:])
        return str(date), now - now % 1000 + 1000 * (60 * (self._length - passed) - seconds)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def days_before(now: int, timezone: str | None, number: int) -> list[str]:
    """Return the last days before the present one, by the clock of a terminal, oldest first."""
    today = datetime.date.fromisoformat(local_time(timezone, now / 1000)[:10])
    return [str(today - datetime.timedelta(days=back)) for back in range(number, 0, -1)]


class NightPlanner:
    """Plans the counts of a terminal for a night."""

    def __init__(self, settings: Completeness, chance: Callable[[], float]) -> None:
        """`chance` returns a random number from 0 to 1."""
        self._settings = settings
        self._chance = chance
        self._night = Night(settings.begin, settings.end)

    def due_thd(self, tx: Transaction, now: int) -> list[tuple[int, str, str, int]]:
        """Return the terminals to plan: key, zone, night and its end (ms)."""
        found = []
        for device_id, timezone, planned in tx[CountStore].nights():
            night = self._night.at(now, timezone)
            if night is not None and night[0] != planned:
                found.append((device_id, timezone, *night))
        return found

    def plan(
        self, tx: Transaction, device_id: int, timezone: str, night: str, end: int, now: int
    ) -> None:
        """Plan the counts of a terminal, unless it is planned for this night already.

        Days without a shortfall are left out, and terminals that cannot count.
        """
        counts = tx[CountStore]
        if not counts.plan(device_id, night):
            return
        refused_at = counts.refused_at(device_id)
        if refused_at is not None and now < refused_at + self._settings.ask_again_days * DAY:
            return
        days = days_before(now, timezone, self._settings.days)
        short = [one.day for one in counts.short_days(device_id) if one.day not in days]
        last = counts.last_of(device_id, days)
        wanted = [*sorted(short), *(day for day in days if not _is_settled(day, last, timezone))]
        at = now + int(LAST_PART * self._chance() * max(end - now, 0))
        counts.add(
            [
                NewCount(device_id=device_id, day=day, not_before_at=at, deadline_at=end)
                for day in wanted
            ],
            now,
        )


def _is_settled(day: str, last: dict[str, tuple[CountState, int]], timezone: str) -> bool:
    """Whether a day needs no count: it has an open one, or was complete after its end."""
    if day not in last:
        return False
    state, at = last[day]
    is_over = local_time(timezone, at / 1000)[:10] > day
    return state in OPEN_COUNTS or (state in AGREED and is_over)
