"""Attendance records that could not be read, and so are missing in lists and files."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from zoneinfo import ZoneInfo

import attrs

from ...manage.console.visits import Visit
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ...values.setaside import StoredReject
from .periods import DayPeriod
from .tables import ATTLOG

_USER_ID = re.compile(rb"([0-9A-Za-z]{1,24})\t")
"""The beginning of a line, if it is the user ID."""
_DATE = re.compile(rb"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
MOST_REJECTS = 300
"""Maximum number of rejects whose lines are counted; one may have several lines."""


@attrs.frozen
class UnreadReader:
    """Who reads about lines that could not be read: a visit, or a caller of the API."""

    zone: ZoneInfo
    areas: frozenset[str] | None
    """Areas of a limited reader; None for no limit."""

    @classmethod
    def of(cls, visit: Visit) -> UnreadReader:
        """Return the reader of a page."""
        return cls(visit.zone, visit.areas)


@attrs.frozen
class UnreadLines:
    """Lines of one terminal that nobody could read."""

    sn: str
    count: int
    is_least: bool
    """Whether there may be more, since not all bytes were looked at."""
    first_at: int
    """When the first of them was received, in milliseconds."""
    last_at: int


def unread_thd(
    tx: Transaction,
    reader: UnreadReader,
    period: DayPeriod,
    device: str | None = None,
    area: str | None = None,
    pin: str | None = None,
) -> list[UnreadLines]:
    """Return what nobody could read, by terminal.

    Lines are left out whose beginning is the user ID of somebody else than `pin`, and those with a
    date outside the period. Of lines without a date all count that came since the period began: a
    line is never received before its day. `device` and `area` limit it.
    """
    found = _rejects_thd(tx, reader, period, area)
    by_terminal: dict[str, list[StoredReject]] = {}
    for one in found:
        if device in (None, one.device):
            by_terminal.setdefault(one.device, []).append(one)
    is_full = len(found) == MOST_REJECTS
    counted = (_counted(sn, by_terminal[sn], is_full, period, pin) for sn in sorted(by_terminal))
    return [one for one in counted if one is not None]


def unread_days_thd(
    tx: Transaction,
    reader: UnreadReader,
    period: DayPeriod,
    area: str | None = None,
    device: str | None = None,
) -> dict[tuple[datetime.date, str], int]:
    """Count the lines of a period that say their day and user ID, by these.

    The others are in `unread_thd` only.
    """
    counts = Counter[tuple[datetime.date, str]]()
    for one in _rejects_thd(tx, reader, period, area):
        is_left_out = one.packed or one.raw is None or device not in (None, one.device)
        lines = [] if is_left_out or one.raw is None else one.raw.split(b"\n")
        for line in lines:
            whose, day = _USER_ID.match(line), _day(line)
            if whose is not None and day is not None and _matters(line, period, None):
                counts[day, whose[1].decode()] += 1
    return counts


def _rejects_thd(
    tx: Transaction, reader: UnreadReader, period: DayPeriod, area: str | None
) -> list[StoredReject]:
    areas = reader.areas
    if area is not None:
        areas = frozenset({area}) if areas is None else areas & {area}
    since = (period.since(reader.zone) or 0) * 1000
    return tx[RejectStore].newest(ATTLOG.name, since, MOST_REJECTS, areas)


def unread_notes(unread: Iterable[UnreadLines], named: Callable[[str], str | None]) -> list[Phrase]:
    """Say in a file what nobody could read; `named` returns the name of a terminal."""
    return [
        counted_phrase(
            "%(num)s line from %(terminal)s could not be read. It is missing here.",
            "%(num)s lines from %(terminal)s could not be read. They are missing here.",
            one.count,
            terminal=named(one.sn) or one.sn,
        )
        for one in unread
    ]


def _counted(
    sn: str, rejects: Sequence[StoredReject], is_full: bool, period: DayPeriod, pin: str | None
) -> UnreadLines | None:
    """Count the lines of a terminal that matter; None without any."""
    lines = {one.id: _lines(one, period, pin) for one in rejects}
    found = [one for one in rejects if lines[one.id]]
    if not found:
        return None
    times = [one.received_at for one in found]
    return UnreadLines(
        sn=sn,
        count=sum(lines.values()),
        is_least=is_full or any(one.raw is None or one.packed for one in found),
        first_at=min(times),
        last_at=max(times),
    )


def _lines(reject: StoredReject, period: DayPeriod, pin: str | None) -> int:
    """Count the lines of a reject that matter; one whose bytes are not in a list has one."""
    if reject.raw is None or reject.packed:
        return 1
    lines = [line for line in reject.raw.split(b"\n") if line.strip()]
    return sum(_matters(line, period, pin) for line in lines) if lines else 1


def _matters(line: bytes, period: DayPeriod, pin: str | None) -> bool:
    """Whether a line may be of a person, if one is given, and of a period."""
    whose = _USER_ID.match(line)
    if pin is not None and whose is not None and whose[1].decode() != pin:
        return False
    day = _day(line)
    if day is None:
        return True
    is_before = period.first is not None and day < period.first
    return not is_before and (period.last is None or day <= period.last)


def _day(line: bytes) -> datetime.date | None:
    """Return the date in a line, if there is a valid one."""
    found = _DATE.search(line)
    try:
        return None if found is None else datetime.date.fromisoformat(found[0].decode())
    except ValueError:
        return None
