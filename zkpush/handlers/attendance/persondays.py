"""Days of people: the punches of one person on one day."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence

import attrs

from ...manage.console.phrases import Phrase
from ...phrases import in_series
from ..people.store import pin_order
from .showing import ShownPunch
from .strips import DayStrip

_LAST = sys.maxsize
"""Place of the present holder of a user ID, after the earlier ones."""


@attrs.frozen(kw_only=True)
class PersonDay:
    """The punches of a person on a day."""

    pin: str
    name: str | None
    has_left: bool
    earlier: int | None
    """Number of an earlier holder of the user ID; None for the present one."""
    instead: Phrase | None
    """Words in place of the name of an erased person, of an earlier holder who is hidden from the
    account, or of nobody."""
    is_erased: bool
    """Whether the person was erased."""
    has_page: bool
    """Whether the account that sees the day may see the page of the person."""
    strip: DayStrip

    @property
    def order(self) -> tuple[tuple[str, str], int]:
        """What to sort the people of a day by."""
        return pin_order(self.pin), _LAST if self.earlier is None else self.earlier

    def with_unread(self, count: int) -> PersonDay:
        """Return the day with a number of lines that could not be read."""
        return attrs.evolve(self, strip=attrs.evolve(self.strip, unread=count))

    @property
    def to_check(self) -> Phrase | None:
        """What a payroll clerk has to look at, in words."""
        words = [one.words.mark for one in self.strip.to_check]
        return in_series(words) if words else None


def person_days(shown: Sequence[ShownPunch]) -> list[PersonDay]:
    """Return the days of punches that are in the order of time, by user ID and day."""
    days: dict[tuple[str, int, datetime.date], list[ShownPunch]] = {}
    for one in shown:
        holder = _LAST if one.earlier is None else one.earlier
        days.setdefault((one.pin, holder, one.wall.date()), []).append(one)
    ordered = sorted(days, key=lambda key: (pin_order(key[0]), *key[1:]))
    return [_day(key[2], days[key]) for key in ordered]


def _day(day: datetime.date, punches: Sequence[ShownPunch]) -> PersonDay:
    last = punches[-1]
    counted = [one for one in punches if not one.is_foreign]
    foreign = [one for one in punches if one.is_foreign]
    return PersonDay(
        pin=last.pin,
        name=last.name,
        has_left=last.has_left,
        earlier=last.earlier,
        instead=last.instead,
        is_erased=last.is_erased,
        has_page=last.has_page,
        strip=DayStrip(
            day=day,
            punches=counted,
            foreign=foreign,
            is_earlier=last.is_hidden,
            is_unknown=last.is_unknown,
        ),
    )
