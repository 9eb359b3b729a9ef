"""Lines that could not be read, on the days of the people whose they are."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from ...manage.console.days import midnight
from ...persist.transaction import Transaction
from ..people.store import PeopleStore
from .periods import DAY
from .persondays import PersonDay
from .strips import DayStrip

UnreadDays = Mapping[tuple[datetime.date, str], int]
"""Numbers of lines that could not be read, by day and user ID."""


def last_second(day: datetime.date, zone: ZoneInfo) -> int:
    """Return the instant at which the holder of a user ID has the unreadable lines of a day."""
    return midnight(day + DAY, zone) - 1


def with_unread_thd(
    tx: Transaction,
    days: Sequence[PersonDay],
    unread: UnreadDays,
    zone: ZoneInfo,
    areas: frozenset[str] | None,
) -> list[PersonDay]:
    """Return days with their unreadable lines, and the days that have only such lines.

    They are in the order of user IDs, and of days.
    """
    found = [one.with_unread(unread.get((one.strip.day, one.pin), 0)) for one in days]
    there = {(one.strip.day, one.pin) for one in days}
    missing = [key for key in unread if key not in there]
    holders = tx[PeopleStore].holders({pin for _, pin in missing}, areas)
    for day, pin in missing:
        one = holders.at(pin, last_second(day, zone))
        found.append(
            PersonDay(
                pin=pin,
                name=one.name,
                has_left=one.has_left,
                earlier=one.earlier,
                instead=one.instead,
                is_erased=one.is_erased,
                has_page=one.has_page(one.name is not None),
                strip=DayStrip(
                    day=day,
                    punches=[],
                    unread=unread[day, pin],
                    is_earlier=one.earlier is not None and one.instead is not None,
                    is_unknown=one.is_unknown,
                ),
            )
        )
    return sorted(found, key=lambda one: (*one.order, one.strip.day))
