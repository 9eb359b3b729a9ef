"""People whom a caller sends to a terminal: the work of copying people, and of sending one."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...model import DEFAULT_AREA, Device, DeviceState
from ...persist.events import EventStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ..people.store import PersonSurvey
from .desired import DistributionTarget, copied_parts
from .distribution import DistributionStore
from .distributor import Comparison, compare_thd, write
from .fits import Abilities
from .model import USER, PartState, PlacedPart
from .places import PlaceStore
from .store import AreaStore

_KEPT_OUT = (PartState.REFUSED, PartState.CONFLICT)
"""States of parts that a terminal does not take, although they fit."""
MOST_MISFITS = 100
"""People named in the outcome because something of theirs does not fit."""


@attrs.frozen
class Misfit:
    """A person of whom something does not fit on a terminal, or is refused."""

    pin: str
    part: str
    reason: str


@attrs.define
class CopyOutcome:
    """What a copy means."""

    people: int = 0
    """People whom the other terminal holds and who are known."""
    there: int = 0
    """People who are on the terminal already, with all that fits."""
    commands: int = 0
    strangers: int = 0
    """People who are not in the area of the terminal."""
    misfits: list[Misfit] = attrs.Factory(list)
    other_misfits: int = 0

    def add(self, pin: str, parts: Sequence[PlacedPart]) -> None:
        """Count a person."""
        self.people += 1
        coming = [one for one in parts if one.state in (PartState.WAITING, PartState.SENT)]
        wrong = [one for one in parts if one.state in (*_KEPT_OUT, PartState.DOES_NOT_FIT)]
        self.commands += len(coming)
        is_there = all(one.state not in _KEPT_OUT for one in wrong) and not coming
        self.there += is_there and not any(one.part == USER for one in wrong)
        for one in wrong:
            if len(self.misfits) < MOST_MISFITS:
                self.misfits.append(Misfit(pin, one.part, one.reason or ""))
            else:
                self.other_misfits += 1


def refusal_of(device: Device) -> Phrase | None:
    """Say why nobody is sent to a terminal by a caller; None if people are."""
    if device.state is DeviceState.APPROVED:
        return None
    return Phrase("Terminal %(sn)s is not approved; approve it first.", sn=device.sn)


def target_thd(tx: Transaction, device: Device) -> DistributionTarget:
    """Return an approved terminal with its area."""
    area = device.area or DEFAULT_AREA
    distributes = area in tx[AreaStore].distributing()
    return DistributionTarget(device.id, area, distributes, Abilities.of(device))


def copy_thd(
    tx: Transaction, target: DistributionTarget, pins: Sequence[str], now: int, *, is_written: bool
) -> dict[str, list[PlacedPart] | None]:
    """Return the parts of people as they are to be; None for people outside the area."""
    if not pins:
        return {}
    people = tx[PersonSurvey].of(pins)
    stored = tx[PlaceStore].of_people(pins)
    if not target.distributes:
        found: dict[str, list[PlacedPart] | None] = {}
        for pin in pins:
            before = stored.get((target.device_id, pin), {})
            person = people[pin]
            if person.fields is not None:
                found[pin] = copied_parts(pin, person, target, before, tx.vault.index, now)
        if is_written:
            _look_from_now_on(tx)
            write(tx, Comparison([one for parts in found.values() for one in parts or ()], ()))
        return found
    members = [pin for pin in pins if target.area in people[pin].areas]
    comparison = compare_thd(tx, members, [target], now, again=True)
    if is_written:
        write(tx, comparison)
    after = {one.key: one for key in stored for one in stored[key].values()}
    after |= {one.key: one for one in comparison.changed}
    for one in comparison.removed:
        after.pop(one.key, None)
    parts: dict[str, list[PlacedPart] | None] = dict.fromkeys(pins)
    parts |= {pin: [] for pin in members}
    for (device_id, pin, _), one in after.items():
        some = parts.get(pin)
        if device_id == target.device_id and some is not None:
            some.append(one)
    return parts


def _look_from_now_on(tx: Transaction) -> None:
    """Let the reconciler see the removal of a person who is the first one to be sent at all.

    It would begin with the changes after its own first look.
    """
    store = tx[DistributionStore]
    if store.cursor() is None:
        store.advance(tx[EventStore].last())
