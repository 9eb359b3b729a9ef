"""A person's day as a strip of 24 hours, and the days of a month."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import attrs

from .periods import DAY, DayPeriod
from .showing import ShownPunch

WIDTH = 288
"""Width of a strip: five minutes are one unit."""
_MINUTES = 24 * 60


@attrs.frozen
class Mark:
    """A punch on a strip."""

    x: float
    direction: str
    """`in`, `out` or `none`; each has a shape of its own."""


@attrs.frozen(kw_only=True)
class DayStrip:
    """The punches of a day."""

    day: datetime.date
    punches: Sequence[ShownPunch]
    """In the order of time."""

    @property
    def marks(self) -> list[Mark]:
        """The punches by their place."""
        return [Mark(_place(one), one.direction) for one in self.punches]

    @property
    def minutes(self) -> int | None:
        """Minutes from the first to the last punch; None with fewer than two."""
        if len(self.punches) < 2:
            return None
        return int((self.punches[-1].wall - self.punches[0].wall).total_seconds()) // 60

    @property
    def is_single(self) -> bool:
        """Whether there is only one punch, so that another may have been forgotten."""
        return len(self.punches) == 1

    @property
    def is_weekend(self) -> bool:
        """Whether it is a Saturday or Sunday."""
        return self.day.weekday() >= 5

    @property
    def has_doubt(self) -> bool:
        """Whether a time is doubtful."""
        return any(one.doubt is not None for one in self.punches)


def _place(punch: ShownPunch) -> float:
    wall = punch.wall
    return round((wall.hour * 60 + wall.minute) * WIDTH / _MINUTES, 1)


def strips_of(period: DayPeriod, punches: Sequence[ShownPunch]) -> list[DayStrip]:
    """Return a strip for each day of a period that has both ends."""
    if period.first is None or period.last is None:
        raise ValueError("the period has no end")
    days: dict[datetime.date, list[ShownPunch]] = {}
    for punch in sorted(punches, key=lambda one: (one.wall, one.id)):
        days.setdefault(punch.wall.date(), []).append(punch)
    count = (period.last - period.first) // DAY + 1
    every = [period.first + number * DAY for number in range(count)]
    return [DayStrip(day=day, punches=days.get(day, [])) for day in every]
