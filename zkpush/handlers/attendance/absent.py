"""Terminals from which nothing comes now, so that their punches are missing."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ...device.silence import Absence, absence_of
from ...manage.console.visits import Visit
from ...model import DEFAULT_AREA, Device, DeviceState, Page
from ...persist.devices import DeviceStore
from ...persist.online import OnlineWindow
from ...persist.transaction import Transaction
from ...problems import ProblemCode
from .periods import DayPeriod

MOST_EXAMINED = 100
"""Maximum number of terminals of one state that are looked at."""


@attrs.frozen
class AbsentTerminal:
    """A terminal from which nothing comes."""

    sn: str
    kind: Absence
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


def _begin(device: Device, kind: Absence, window: OnlineWindow) -> int:
    """Return since when (ms) punches are missing; since when a state holds is not known."""
    if kind in (Absence.PENDING, Absence.BLOCKED):
        return window.now
    if kind is Absence.NO_SESSION:
        return min(one.since_at for one in device.problems if one.code == ProblemCode.NO_SESSION)
    return device.last_seen_at or device.created_at


def _absent_thd(
    tx: Transaction, areas: frozenset[str] | None, window: OnlineWindow
) -> Iterator[tuple[Device, Absence]]:
    part = Page(MOST_EXAMINED, areas=areas)
    terminals = tx[DeviceStore]
    approved = DeviceState.APPROVED.value
    found = [
        (terminals.search(part, state=DeviceState.PENDING.value), False),
        (terminals.search(part, state=DeviceState.BLOCKED.value), False),
        (terminals.search(part, state=approved, window=window, is_online=False), False),
        (terminals.search(part, state=approved, window=window, with_problems=True), True),
    ]
    for some, is_online in found:
        for one in some:
            kind = absence_of(one, one.last_seen_at, window.now, is_online=is_online)
            if kind is not None:
                yield one, kind
