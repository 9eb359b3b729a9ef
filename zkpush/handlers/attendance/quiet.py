"""Terminals that sent nothing after some hour of a day on which many people lack a punch.

The rule has few numbers. A day is looked at if at least `FEWEST` people, and at least half of those
with punches, have an odd number of punches or no check-out. Of the terminals that have the last
punches of these people, one is quiet if on at least `USUAL` of the `BEFORE` days before it had a
punch more than an hour later by its clock. Each of these questions ends at the first punch that the
index of identities has.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable

import attrs
from sqlalchemy import and_, case, func, or_, select

from ...persist.limits import of_terminals
from ...persist.schema import devices
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ...protocol.codes import RecordType
from .conditions import TYPES
from .marks import DayMark
from .periods import DAY
from .repeats import WITHIN
from .schema import attendance
from .showing import IN, OUT
from .strips import DayStrip

FEWEST = 3
"""People with something odd, from which on a day is looked at."""
BEFORE = 7
"""Days before one, whose hours are compared with."""
USUAL = 3
"""Days of these on which the terminal had a later punch."""
MOST_TERMINALS = 3
"""Terminals of a day that are looked at."""
MOST_DAYS = 10
"""Days that are looked at, the last ones."""
MOST_PUNCHES = 5000
"""Punches of a day from which on a page does not look at it; a file does."""
_LATER = datetime.timedelta(hours=1)
_ODD = frozenset({DayMark.ONE_PUNCH, DayMark.ODD_NUMBER, DayMark.NO_CHECK_OUT})


@attrs.frozen
class QuietTerminal:
    """A terminal that sent nothing after some hour of a day."""

    sn: str
    last: datetime.datetime
    """Its last punch of the day, by its clock."""
    people: int
    """People with something odd whose last punch of the day is there."""


@attrs.define
class _OddDay:
    people: int = 0
    odd: int = 0
    terminals: Counter[str] = attrs.field(factory=Counter)


class QuietDays:
    """Days on which many people have something odd, as they are read."""

    def __init__(self) -> None:
        self.days: dict[datetime.date, _OddDay] = {}

    def add(self, strip: DayStrip) -> None:
        """Add a day of a person."""
        if not strip.punches:
            return
        day = self.days.setdefault(strip.day, _OddDay())
        day.people += 1
        if not _ODD.isdisjoint(strip.to_check):
            day.odd += 1
            day.terminals[strip.punches[-1].sn] += 1

    def find_thd(self, tx: Transaction, today: datetime.date) -> list[QuietTerminal]:
        """Return the quiet terminals of the days before today, the first day first."""
        some = [
            day
            for day, one in sorted(self.days.items())
            if day < today and one.odd >= FEWEST and 2 * one.odd >= one.people
        ]
        return [
            found
            for day in some[-MOST_DAYS:]
            for found in _of_day_thd(tx, day, self.days[day].terminals)
        ]


def listed_quiet_thd(
    tx: Transaction,
    strips: Iterable[DayStrip],
    areas: frozenset[str] | None,
    today: datetime.date,
) -> list[QuietTerminal]:
    """Return the quiet terminals of days of which only what is odd is listed, the last day first.

    Today and later days are left out, and days of more than `MOST_PUNCHES`, since their people
    would have to be counted. `areas` are those of a limited reader.
    """
    listed = QuietDays()
    for strip in strips:
        listed.add(strip)
    days = {day: one for day, one in listed.days.items() if day < today and one.odd >= FEWEST}
    found: list[QuietTerminal] = []
    for day in sorted(days, reverse=True)[:MOST_DAYS]:
        if _is_large_thd(tx, day):
            continue
        people, odd = _people_thd(tx, day, areas)
        if odd >= FEWEST and 2 * odd >= people:
            found += _of_day_thd(tx, day, days[day].terminals)
    return found


def quiet_notes(quiet: Iterable[QuietTerminal], named: Callable[[str], str | None]) -> list[Phrase]:
    """Say in a file which terminals were quiet; `named` returns the name of a terminal."""
    return [
        counted_phrase(
            "%(terminal)s sent no punch after %(time)s on %(day)s. Look there before you ask "
            "%(num)s person.",
            "%(terminal)s sent no punch after %(time)s on %(day)s. Look there before you ask "
            "%(num)s people.",
            one.people,
            terminal=named(one.sn) or one.sn,
            time=str(one.last.time())[:5],
            day=str(one.last.date()),
        )
        for one in quiet
    ]


def _is_large_thd(tx: Transaction, day: datetime.date) -> bool:
    begin, end = _hours(day)
    window = attendance.c.time >= begin, attendance.c.time <= end
    some = select(attendance.c.time).where(*window).limit(MOST_PUNCHES + 1).subquery()
    count = tx.connection.execute(select(func.count()).select_from(some)).scalar_one()
    return int(count) > MOST_PUNCHES


def _people_thd(
    tx: Transaction, day: datetime.date, areas: frozenset[str] | None
) -> tuple[int, int]:
    """Count the people of a day by the clocks of terminals, and those with something odd.

    The rule is that of `marks` and `repeats`, for all punches of a user ID; repeats may go on.
    """
    columns = attendance.c
    begin, end = _hours(day)
    ins, outs = (columns.status.in_([int(one) for one in some]) for some in (IN, OUT))
    direction = case((ins, 1), (outs, -1), else_=0)
    order = [columns.utc, columns.id]
    gap = columns.utc - func.lag(columns.utc).over(partition_by=columns.pin, order_by=order)
    is_alike = direction == func.lag(direction).over(partition_by=columns.pin, order_by=order)
    punches = (
        select(
            columns.pin,
            direction.label("direction"),
            case((and_(is_alike, gap <= WITHIN), 0), else_=1).label("counts"),
        )
        .where(
            columns.time >= begin,
            columns.time <= end,
            TYPES[RecordType.ATTENDANCE],
            *of_terminals(columns.device_id + 0, areas),
        )
        .subquery()
    )
    sums = (
        select(
            func.sum(punches.c.counts).label("punches"),
            func.max(punches.c.direction).label("most"),
            func.min(punches.c.direction).label("least"),
        )
        .group_by(punches.c.pin)
        .subquery()
    )
    has_no_check_out = and_(sums.c.most == 1, sums.c.least >= 0)
    is_odd = or_(sums.c.punches % 2 == 1, has_no_check_out)
    query = select(func.count(), func.count().filter(is_odd)).select_from(sums)
    people, odd = tx.connection.execute(query).one()
    return int(people), int(odd)


def _of_day_thd(
    tx: Transaction, day: datetime.date, terminals: Counter[str]
) -> list[QuietTerminal]:
    serials = [sn for sn, _ in terminals.most_common(MOST_TERMINALS)]
    query = select(devices.c.sn, devices.c.id).where(devices.c.sn.in_(serials))
    keys = {sn: int(key) for sn, key in tx.connection.execute(query)}
    found = []
    for sn in [one for one in serials if one in keys]:
        last = _last_thd(tx, keys[sn], *_hours(day))
        if last is not None and _is_early_thd(tx, keys[sn], last):
            found.append(QuietTerminal(sn, last, terminals[sn]))
    return found


def _is_early_thd(tx: Transaction, key: int, last: datetime.datetime) -> bool:
    """Whether a terminal usually has later punches than one time."""
    later = last + _LATER
    if later.date() != last.date():
        return False
    days = [later - (number + 1) * DAY for number in range(BEFORE)]
    spans = [(str(one), _hours(one.date())[1]) for one in days]
    return sum(_last_thd(tx, key, *span) is not None for span in spans) >= USUAL


def _last_thd(tx: Transaction, key: int, begin: str, end: str) -> datetime.datetime | None:
    """Return the last punch of a terminal between two times of its clock; None without any."""
    columns = attendance.c
    query = select(columns.time).where(
        columns.time >= begin,
        columns.time <= end,
        columns.device_id == key,
        TYPES[RecordType.ATTENDANCE],
    )
    newest = query.order_by(columns.time.desc()).limit(1)
    time: str | None = tx.connection.execute(newest).scalar_one_or_none()
    return None if time is None else datetime.datetime.fromisoformat(time)


def _hours(day: datetime.date) -> tuple[str, str]:
    return f"{day} 00:00:00", f"{day} 23:59:59"
