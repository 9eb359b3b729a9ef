"""Attendance records that could not be read, and so are missing in lists and files."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ...manage.console.visits import Visit
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ...values.setaside import StoredReject
from .periods import DayPeriod
from .tables import ATTLOG

MOST_REJECTS = 300
"""Maximum number of rejects whose lines are counted; one may have several lines."""


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
    visit: Visit,
    period: DayPeriod,
    device: str | None = None,
    area: str | None = None,
) -> list[UnreadLines]:
    """Return what nobody could read, by terminal.

    Its days are not known, so all is counted that came since the period began: a line is never
    received before its day. `device` and `area` limit it. Empty for accounts that may not see it.
    """
    if not visit.reaches("/rejects"):
        return []
    areas = visit.areas
    if area is not None:
        areas = frozenset({area}) if areas is None else areas & {area}
    since = (period.since(visit.zone) or 0) * 1000
    found = tx[RejectStore].newest(ATTLOG.name, since, MOST_REJECTS, areas)
    by_terminal: dict[str, list[StoredReject]] = {}
    for one in found:
        if device in (None, one.device):
            by_terminal.setdefault(one.device, []).append(one)
    is_full = len(found) == MOST_REJECTS
    return [_counted(sn, by_terminal[sn], is_full) for sn in sorted(by_terminal)]


def unread_notes(unread: Iterable[UnreadLines], visit: Visit) -> list[Phrase]:
    """Say in a file what nobody could read."""
    return [
        counted_phrase(
            "%(num)s line from %(terminal)s could not be read. It is missing here.",
            "%(num)s lines from %(terminal)s could not be read. They are missing here.",
            one.count,
            terminal=visit.named(one.sn) or one.sn,
        )
        for one in unread
    ]


def _counted(sn: str, rejects: Iterable[StoredReject], is_full: bool) -> UnreadLines:
    times = [one.received_at for one in rejects]
    return UnreadLines(
        sn=sn,
        count=sum(_lines(one) for one in rejects),
        is_least=is_full or any(one.raw is None or one.packed for one in rejects),
        first_at=min(times),
        last_at=max(times),
    )


def _lines(reject: StoredReject) -> int:
    """Count the lines of a reject; one whose bytes are not in a list has at least one."""
    if reject.raw is None or reject.packed:
        return 1
    return max(1, sum(1 for line in reject.raw.split(b"\n") if line.strip()))
