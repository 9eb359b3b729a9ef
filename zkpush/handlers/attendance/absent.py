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
    return device.last_seen_at or device.created_at


def _absent_thd(
    tx: Transaction, areas: frozenset[str] | None, window: OnlineWindow
) -> Iterator[tuple[Device, Absence]]:
    part = Page(MOST_EXAMINED, areas=areas)
    for state in (DeviceState.PENDING, DeviceState.BLOCKED, DeviceState.APPROVED):
        outside = window if state is DeviceState.APPROVED else None
        for one in tx[DeviceStore].search(part, state=state.value, window=outside, is_online=False):
            kind = absence_of(one, one.last_seen_at, window.now, is_online=False)
            if kind is not None:
                yield one, kind
