"""People of the list without any punch in a period."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence

import attrs

from ...interfaces import IStore
from ...persist.transaction import Transaction
from ..people.model import Spans
from ..people.store import EarlierHolders, Roster, RosterFilter
from .gaps import AT_ONCE, known_before_thd, punched_thd
from .model import PunchFilter


@attrs.frozen
class UnseenPerson:
    """Somebody without a punch."""

    name: str | None
    is_known: bool
    """Whether there are punches before the period."""


async def find_unseen(
    store: IStore,
    wanted: PunchFilter,
    first: datetime.date,
    last: datetime.date,
    seen: Collection[str],
) -> dict[str, UnseenPerson]:
    """Return the people whom a filter includes and who have no punch, by user ID and in order.

    `first` and `last` are the days of the period, `seen` the user IDs of those who have some.
    People who began after the period, by their validity or their first punch, are left out, and of
    areas those who punched at terminals elsewhere. There are none for a filter by terminal or
    doubt, since they may have other punches.
    """
    if wanted.device is not None or wanted.doubt is not None or not _is_present(wanted.spans):
        return {}
    roster = RosterFilter(
        first=first, last=last, pin=wanted.pin, area=wanted.area, areas=wanted.areas
    )
    names = await store.read(lambda tx: tx[Roster].names(roster))
    unseen = [pin for pin in names if pin not in seen]
    found: dict[str, UnseenPerson] = {}
    for start in range(0, len(unseen), AT_ONCE):
        pins = unseen[start : start + AT_ONCE]

        def find_thd(tx: Transaction, pins: Sequence[str] = pins) -> tuple[set[str], set[str]]:
            known = known_before_thd(tx, pins, wanted.since or 0)
            later = _later_thd(tx, pins, known, wanted.until)
            return known, later | _elsewhere_thd(tx, pins, wanted)

        known, others = await store.read(find_thd)
        found |= {pin: UnseenPerson(names[pin], pin in known) for pin in pins if pin not in others}
    return found


def _elsewhere_thd(tx: Transaction, pins: Sequence[str], wanted: PunchFilter) -> set[str]:
    """Return those of some user IDs with punches of the period at terminals of other areas.

    Whose the punches are is not looked for where somebody got the user ID in the period or later.
    """
    if wanted.area is None and wanted.areas is None:
        return set()
    reused = tx[EarlierHolders].of(pins)
    begin = wanted.since or 0
    own = [pin for pin in pins if all(one.until <= begin for one in reused.get(pin, ()))]
    return punched_thd(tx, own, PunchFilter(since=wanted.since, until=wanted.until))


def _later_thd(
    tx: Transaction, pins: Sequence[str], known: Collection[str], until: int | None
) -> set[str]:
    """Return those of some user IDs whose first punch is after the period."""
    if until is None:
        return set()
    reused = tx[EarlierHolders].of(pins)
    some = [pin for pin in pins if pin not in known and pin not in reused]
    return punched_thd(tx, some, PunchFilter(since=until))


def _is_present(spans: Spans | None) -> bool:
    """Whether spans are those of the present holder of a user ID."""
    return spans is None or any(until is None for _, until in spans)
