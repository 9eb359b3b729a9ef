"""Terminals from which nothing comes now, so that their punches are missing."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import attrs

from ...manage.console.visits import Visit
from ...model import DEFAULT_AREA, Device, DeviceState, Page
from ...persist.devices import DeviceStore
from ...persist.online import OnlineWindow
from ...persist.transaction import Transaction
from ...problems import ProblemCode
from .periods import DayPeriod

MOST_EXAMINED = 100
"""Maximum number of terminals of one kind that are looked at."""
_REFUSING = frozenset(
    {
        ProblemCode.ACCESS_CONTROL,
        ProblemCode.CANNOT_ENCRYPT,
        ProblemCode.KEY_CHANGED,
        ProblemCode.NO_TOKEN,
        ProblemCode.OTHER_ADDRESS,
        ProblemCode.OTHER_FAMILY,
        ProblemCode.TOKEN_MISSING,
    }
)
"""Problems of a terminal that is refused, unless it is online all the same."""


class AbsenceKind(Enum):
    """Why nothing comes."""

    NEVER = "never"
    SILENT = "silent"
    REFUSED = "refused"
    PENDING = "pending"
    BLOCKED = "blocked"


@attrs.frozen
class AbsentTerminal:
    """A terminal from which nothing comes."""

    sn: str
    kind: AbsenceKind
    since_at: int | None
    """When it was last heard of, in milliseconds."""


def absent_thd(
    tx: Transaction,
    visit: Visit,
    window: OnlineWindow,
    period: DayPeriod,
    device: str | None = None,
    area: str | None = None,
) -> list[AbsentTerminal]:
    """Return the terminals whose punches of a period may be missing, by serial number.

    `device` and `area` limit them, as the areas of the visit do.
    """
    until = period.until(visit.zone)
    end = window.now + 1 if until is None else until * 1000
    begin = (period.since(visit.zone) or 0) * 1000
    if begin > window.now:
        return []
    found = [
        AbsentTerminal(one.sn, kind, one.last_seen_at)
        for one, kind in _absent_thd(tx, visit.areas, window)
        if device in (None, one.sn)
        and area in (None, one.area or DEFAULT_AREA)
        and end > _begin(one, kind, window)
    ]
    return sorted(found, key=lambda one: one.sn)


def _begin(device: Device, kind: AbsenceKind, window: OnlineWindow) -> int:
    """Return since when (ms) punches are missing; since when a state holds is not known."""
    if kind in (AbsenceKind.PENDING, AbsenceKind.BLOCKED):
        return window.now
    return device.last_seen_at or device.created_at


def _absent_thd(
    tx: Transaction, areas: frozenset[str] | None, window: OnlineWindow
) -> Iterator[tuple[Device, AbsenceKind]]:
    store, part = tx[DeviceStore], Page(MOST_EXAMINED, areas=areas)
    for state, kind in (
        (DeviceState.PENDING, AbsenceKind.PENDING),
        (DeviceState.BLOCKED, AbsenceKind.BLOCKED),
    ):
        for one in store.search(part, state=state.value):
            yield one, kind
    for one in store.search(part, state=DeviceState.APPROVED.value, with_problems=True):
        codes = {problem.code for problem in one.problems}
        if not window.holds(one) and codes & _REFUSING:
            yield one, AbsenceKind.REFUSED
        elif ProblemCode.SILENT in codes:
            is_new = one.last_seen_at is None
            yield one, AbsenceKind.NEVER if is_new else AbsenceKind.SILENT
