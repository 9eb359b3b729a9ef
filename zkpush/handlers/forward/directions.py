"""In or out, and the minimum gap: rules that depend on several punches of one person.

All punches of a person are passed in the order of their instants, whatever order they arrived in;
those of one second in the order of the serial numbers of their terminals, then as stored.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import attrs

from ..attendance.model import Punch
from .model import DirectionCase, DirectionRule, ForwardRules

_DAY = datetime.timedelta(days=1)
_FORMAT = "%Y-%m-%d %H:%M:%S"


@attrs.frozen
class Passed:
    """A punch that is sent."""

    direction: str | None
    """`in`, `out`, or None if it is not known."""


def days_around(punches: Iterable[Punch]) -> Iterator[tuple[str, str]]:
    """Yield periods of wall clock time that contain the working days of punches; inclusive."""
    days = sorted({day for punch in punches if (day := _date(punch.time)) is not None})
    begin: datetime.date | None = None
    end = datetime.date.min
    for day in days:
        if begin is not None and day - end > 2 * _DAY:
            yield _period(begin, end)
            begin = None
        begin = day if begin is None else begin
        end = day
    if begin is not None:
        yield _period(begin, end)


def _period(begin: datetime.date, end: datetime.date) -> tuple[str, str]:
    return f"{_shifted(begin, -1)} 00:00:00", f"{_shifted(end, 1)} 23:59:59"


def _shifted(day: datetime.date, days: int) -> datetime.date:
    try:
        return day + days * _DAY
    except OverflowError:
        return day


def _date(time: str) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(time, _FORMAT).date()
    except ValueError:
        return None


def pass_punches(punches: Iterable[Punch], rules: ForwardRules) -> dict[int, Passed]:
    """Return the punches that are sent, with their directions, by id.

    `punches` are those of whole working days, and of the day before the first one.
    """
    passed: dict[int, Passed] = {}
    unique = {punch.id: punch for punch in punches}
    ordered = sorted(unique.values(), key=lambda one: (one.pin, one.utc, one.device, one.id))
    for _, group in groupby(ordered, key=lambda one: one.pin):
        _pass_person(group, rules, passed)
    return passed


def _pass_person(punches: Iterable[Punch], rules: ForwardRules, passed: dict[int, Passed]) -> None:
    last: int | None = None
    day: object = None
    previous: str | None = None
    rule = rules.directions
    for punch in punches:
        if last is not None and punch.utc - last < rules.minimum_gap_seconds:
            continue
        last = punch.utc
        direction = None
        if rule is not None:
            today = working_day(punch.time, rule.day_starts)
            if today != day:
                day, previous = today, None
            direction = _direction(punch, rule, previous)
            previous = direction or previous
        passed[punch.id] = Passed(direction)


def _direction(punch: Any, rule: DirectionRule, previous: str | None) -> str | None:
    for case in rule.cases:
        if _matches(punch, case):
            return case.direction
    if rule.otherwise == "none":
        return None
    return "out" if previous == "in" else "in"


def _matches(punch: Any, case: DirectionCase) -> bool:
    wanted: Sequence[tuple[Sequence[Any] | None, Any]] = (
        (case.status, punch.status),
        (case.verify, punch.verify),
        (case.work_code, punch.work_code),
        (case.devices, punch.device),
    )
    return all(values is None or value in values for values, value in wanted)


def working_day(time: str, starts: str) -> object:
    """Return the working day of a wall clock time; `starts` is when one begins, as `HH:MM`."""
    try:
        moment = datetime.datetime.strptime(time, _FORMAT)
    except ValueError:
        return time[:10]
    hours, minutes = starts.split(":")
    offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
    try:
        return (moment - offset).date()
    except OverflowError:
        return moment.date()
