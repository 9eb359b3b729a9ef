"""A person's day as a strip of 24 hours, and the days of a month."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Collection, Sequence
from functools import cached_property

import attrs

from ...manage.console.phrases import Phrase
from .marks import ONE_PUNCH_TODO, DayMark, marks_of
from .periods import DAY, DayPeriod
from .repeats import repeats_of
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
    """Those that count for the person, in the order of time; some may be another person's."""
    foreign: Sequence[ShownPunch] = ()
    """Those that are another person's by a decision; they count nowhere."""
    unread: int = 0
    """Lines of the person and day that could not be read."""
    is_earlier: bool = False
    """Whether an earlier holder of the user ID has the punches, whose name is not shown."""
    is_unknown: bool = False
    """Whether nobody here has, or had, the user ID."""

    @property
    def every(self) -> list[ShownPunch]:
        """All punches in the order of time, also those that do not count."""
        return sorted([*self.punches, *self.foreign], key=lambda one: (one.wall, one.id))

    @property
    def marks(self) -> list[Mark]:
        """The punches by their place."""
        return [Mark(_place(one), one.direction) for one in self.punches]

    @cached_property
    def repeats(self) -> frozenset[int]:
        """The ids of the punches that repeat another one."""
        return repeats_of(self.punches)

    @property
    def last(self) -> ShownPunch | None:
        """The last punch; None with fewer than two, without repeats."""
        return None if self.seconds is None else self.punches[-1]

    @property
    def minutes(self) -> int | None:
        """Whole minutes from the first to the last punch; None with fewer than two."""
        return None if self.seconds is None else self.seconds // 60

    @property
    def seconds(self) -> int | None:
        """Seconds from the first to the last punch; None with fewer than two, without repeats."""
        return _between(self.punches, self.repeats)

    @property
    def doubtful_minutes(self) -> int:
        """Those of the minutes that would not be without punches that may be another person's."""
        return self.doubtful_seconds // 60

    @property
    def doubtful_seconds(self) -> int:
        """Those of the seconds that would not be without punches that may be another person's."""
        sure = [one for one in self.punches if one.other is None]
        if len(sure) == len(self.punches):
            return 0
        return (self.seconds or 0) - (_between(sure, repeats_of(sure)) or 0)

    @property
    def to_check(self) -> list[DayMark]:
        """What a payroll clerk has to look at."""
        directions = [one.direction for one in self.punches if one.id not in self.repeats]
        return marks_of(
            punches=len(directions),
            ins=directions.count("in"),
            outs=directions.count("out"),
            doubtful=sum(one.doubt is not None for one in self.punches),
            others=len(self.others),
            unread=self.unread,
            is_earlier=self.is_earlier,
            is_unknown=self.is_unknown,
        )

    def todo(self, mark: DayMark) -> Phrase:
        """Return what to do about a mark of the day."""
        if mark is DayMark.ONE_PUNCH:
            return ONE_PUNCH_TODO.get(self.punches[0].direction, mark.words.todo)
        return mark.words.todo

    @property
    def is_single(self) -> bool:
        """Whether there is only one punch, so that another may have been forgotten."""
        return DayMark.ONE_PUNCH in self.to_check

    @property
    def more_to_check(self) -> list[DayMark]:
        """What there is to look at besides that there is only one punch."""
        return [one for one in self.to_check if one is not DayMark.ONE_PUNCH]

    @property
    def others(self) -> list[ShownPunch]:
        """The punches that may be another person's."""
        return [one for one in self.punches if one.other is not None]

    @property
    def is_weekend(self) -> bool:
        """Whether it is a Saturday or Sunday."""
        return self.day.weekday() >= 5


@attrs.frozen(kw_only=True)
class MonthTotals:
    """What the strips of a month show, counted; nothing is judged or rounded."""

    days: int
    """Days with punches."""
    punches: int
    single_days: int
    """Days with one punch only."""
    odd_days: int
    """Days with an odd number of punches, without those with one only."""
    doubtful: int
    """Punches whose time is doubtful."""
    others: int
    """Punches that may be another person's."""
    empty_days: int
    """Days without punches, after the first punch of the person and before today."""
    empty_weekend_days: int
    """Saturdays and Sundays among them."""
    foreign: int
    """Punches that are another person's by a decision; they are not in the other numbers."""
    minutes: int
    """The times from the first to the last punch of each day, added."""
    doubtful_minutes: int
    """Those of the minutes that depend on punches that may be another person's."""

    @classmethod
    def of(cls, strips: Sequence[DayStrip], today: datetime.date, *, is_new: bool) -> MonthTotals:
        """Count what strips show; `is_new` is whether the person has no punch before them."""
        counted = [one for one in strips if one.day < today]
        if is_new:
            counted = [*itertools.dropwhile(lambda one: not one.punches, counted)]
        empty = [one for one in counted if not one.punches]
        return cls(
            days=sum(bool(one.punches) for one in strips),
            punches=sum(len(one.punches) for one in strips),
            single_days=sum(one.is_single for one in strips),
            odd_days=sum(DayMark.ODD_NUMBER in one.to_check for one in strips),
            doubtful=sum(each.doubt is not None for one in strips for each in one.punches),
            others=sum(len(one.others) for one in strips),
            empty_days=len(empty),
            empty_weekend_days=sum(one.is_weekend for one in empty),
            foreign=sum(len(one.foreign) for one in strips),
            minutes=sum(one.seconds or 0 for one in strips) // 60,
            doubtful_minutes=sum(one.doubtful_seconds for one in strips) // 60,
        )


def _between(punches: Sequence[ShownPunch], repeats: Collection[int]) -> int | None:
    if len(punches) - len(repeats) < 2:
        return None
    if all(one.has_zone for one in punches):
        # The clock may have been put back or forward between them.
        instants = [one.utc for one in punches]
        return max(instants) - min(instants)
    return int((punches[-1].wall - punches[0].wall).total_seconds())


def _place(punch: ShownPunch) -> float:
    wall = punch.wall
    return round((wall.hour * 60 + wall.minute) * WIDTH / _MINUTES, 1)


def strips_of(period: DayPeriod, punches: Sequence[ShownPunch]) -> list[DayStrip]:
    """Return a strip for each day of a period that has both ends."""
    if period.first is None or period.last is None:
        raise ValueError("the period has no end")
    days: dict[datetime.date, list[ShownPunch]] = {}
    foreign: dict[datetime.date, list[ShownPunch]] = {}
    for punch in sorted(punches, key=lambda one: (one.wall, one.id)):
        kept = foreign if punch.is_foreign else days
        kept.setdefault(punch.wall.date(), []).append(punch)
    count = (period.last - period.first) // DAY + 1
    every = [period.first + number * DAY for number in range(count)]
    return [
        DayStrip(day=day, punches=days.get(day, []), foreign=foreign.get(day, [])) for day in every
    ]
