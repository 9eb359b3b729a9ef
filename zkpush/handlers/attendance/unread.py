"""Attendance records that could not be read, and so are missing in lists and files."""

from __future__ import annotations

from ...manage.console.visits import Visit
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from .periods import DayPeriod
from .tables import ATTLOG

MOST_UNREAD = 1000
"""Maximum number of lines that are counted."""


def unread_thd(
    tx: Transaction,
    visit: Visit,
    period: DayPeriod,
    device: str | None = None,
    area: str | None = None,
) -> list[tuple[str, int]]:
    """Return serial numbers with the numbers of their lines that nobody could read.

    Their days are not known, so all are counted that came since the period began. `device` and
    `area` limit them. Empty for accounts that may not see them.
    """
    if not visit.reaches("/rejects"):
        return []
    areas = visit.areas
    if area is not None:
        areas = frozenset({area}) if areas is None else areas & {area}
    since = (period.since(visit.zone) or 0) * 1000
    found = tx[RejectStore].newest_by_terminal(ATTLOG.name, since, MOST_UNREAD, areas)
    return [(sn, count) for sn, count in found.items() if device in (None, sn)]
