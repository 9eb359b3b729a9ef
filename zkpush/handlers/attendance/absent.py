"""Terminals from which nothing comes now, so that their punches are missing."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from zoneinfo import ZoneInfo

import attrs

from ...device.silence import Absence, absence_of
from ...model import DEFAULT_AREA, Device, DeviceState, Page
from ...persist.devices import DeviceStore
from ...persist.online import OnlineWindow
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...problems import ProblemCode
from .periods import DayPeriod
from .store import AttendanceStore
from .unread import UnreadReader

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
    reader: UnreadReader,
    window: OnlineWindow,
    period: DayPeriod,
    device: str | None = None,
    area: str | None = None,
) -> list[AbsentTerminal]:
    """Return the terminals whose punches of a period may be missing, by serial number.

    `device` and `area` limit them, as the areas of the reader do.
    """
    until = period.until(reader.zone)
    end = window.now + 1 if until is None else until * 1000
    begin = (period.since(reader.zone) or 0) * 1000
    if begin > window.now:
        return []
    found = [
        AbsentTerminal(one.sn, kind, one.last_seen_at)
        for one, kind in _absent_thd(tx, reader.areas, window)
        if device in (None, one.sn)
        and area in (None, one.area or DEFAULT_AREA)
        and end > _begin_thd(tx, one, kind, window)
    ]
    return sorted(found, key=lambda one: one.sn)


def absence_notes(
    absent: Iterable[AbsentTerminal], zone: ZoneInfo, named: Callable[[str], str | None]
) -> list[Phrase]:
    """Say in a file whose punches are missing; `named` returns the name of a terminal."""
    return [_note(one, named(one.sn) or one.sn, zone) for one in absent]


def _note(one: AbsentTerminal, terminal: str, zone: ZoneInfo) -> Phrase:
    match one.kind:
        case Absence.PENDING:
            return Phrase(
                "%(terminal)s waits for approval: its punches are missing.", terminal=terminal
            )
        case Absence.BLOCKED:
            return Phrase("%(terminal)s is blocked: its punches are missing.", terminal=terminal)
        case Absence.REFUSED:
            return Phrase(
                "The server refuses %(terminal)s: its punches are missing.", terminal=terminal
            )
        case Absence.NO_SESSION:
            return Phrase(
                "%(terminal)s is connected and does not begin a session: nothing of it is taken, "
                "and its punches are missing.",
                terminal=terminal,
            )
        case _ if one.since_at is None:
            return Phrase(
                "Nothing has come from %(terminal)s yet: its punches are missing.",
                terminal=terminal,
            )
        case _:
            since = datetime.datetime.fromtimestamp(one.since_at // 1000, zone)
            return Phrase(
                "Nothing has come from %(terminal)s since %(at)s: later punches are missing.",
                terminal=terminal,
                at=f"{since:%Y-%m-%d %H:%M}",
            )


def _begin_thd(tx: Transaction, device: Device, kind: Absence, window: OnlineWindow) -> int:
    """Return since when (ms) punches are missing; since when a state holds is not known.

    A terminal that makes requests, and of which nothing was ever taken, may hold punches of any
    day.
    """
    if kind in (Absence.PENDING, Absence.BLOCKED):
        return window.now
    waits = kind in (Absence.REFUSED, Absence.NO_SESSION)
    if waits and not tx[AttendanceStore].first_and_last(device.id):
        return 0
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
