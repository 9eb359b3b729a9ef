"""Copy of people from one terminal to another, and adoption of those whom a terminal holds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus

import attrs

from ...counting import counted, counted_people
from ...device import acts
from ...interfaces import IStore
from ...manage.errors import ApiError, not_found
from ...model import Caller, Device, DeviceState
from ...persist.devices import DeviceStore
from ...persist.limits import AreaLimitStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ..people.store import DEFAULT_AREA, PersonStore, PersonSurvey
from .desired import DistributionTarget, copied_parts
from .distributor import Comparison, compare_thd, write
from .fits import Abilities
from .model import USER, PartState, PlacedPart
from .places import PlaceStore
from .store import AreaStore

COPY, ADOPT = "copy people", "adopt people"
AT_ONCE = 50
"""People read or written in one unit of work."""
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


@attrs.define
class AdoptOutcome:
    """What an adoption means."""

    area: str
    distributes: bool
    people: int = 0
    adopted: int = 0
    """People who were not in the area."""


@attrs.frozen
class _Part:
    """Some people of a terminal."""

    pins: Sequence[str]
    after: str | None
    """Where to go on; None at the end."""


def _people_thd(
    tx: Transaction, device_id: int, after: str, areas: frozenset[str] | None = None
) -> _Part:
    """Return the next known people whom a terminal holds, only those of the areas if given."""
    held = tx[PersonSurvey].held_by(device_id, after, AT_ONCE)
    known = tx[PersonStore].authored([pin for pin, _ in held])
    following = held[-1][1] if len(held) == AT_ONCE else None
    mine = known if areas is None else tx[AreaLimitStore].people(known, areas)
    return _Part([pin for pin, _ in held if pin in mine], following)


class PeopleCopy:
    """Copies and adopts people."""

    def __init__(self, store: IStore) -> None:
        self._store = store

    async def copy(
        self, sn: str, source: str, by: Caller, now: int, *, dry_run: bool
    ) -> CopyOutcome:
        """Send the people on the terminal `source` to the terminal `sn`.

        A limited caller copies the people of its areas. Commands are queued a few at a time
        afterwards, by the reconciler. Raises `ApiError` if
        there is no such terminal, or if people would be deleted again by the area of `sn`.
        """
        target, from_id = await self._store.read(partial(_target_thd, sn=sn, source=source))
        # All is compared first, so that nothing is written if somebody is not in the area.
        outcome = await self._go(target, from_id, now, by.areas, is_written=False)
        if outcome.strangers and not dry_run:
            raise ApiError(
                HTTPStatus.CONFLICT,
                counted_phrase(
                    "%(num)s person of terminal %(source)s is not in the area %(area)s, which "
                    "distributes: terminal %(sn)s would delete them again. Nothing was copied. Add "
                    "them to the area %(area)s: with `areas` of PUT users/{pin}, or all of a "
                    "terminal of that area with POST devices/{sn}/adopt.",
                    "%(num)s people of terminal %(source)s are not in the area %(area)s, which "
                    "distributes: terminal %(sn)s would delete them again. Nothing was copied. Add "
                    "them to the area %(area)s: with `areas` of PUT users/{pin}, or all of a "
                    "terminal of that area with POST devices/{sn}/adopt.",
                    outcome.strangers,
                    source=source,
                    area=target.area,
                    sn=sn,
                ),
            )
        if not dry_run:
            outcome = await self._go(target, from_id, now, by.areas, is_written=True)
            commands = counted(outcome.commands, "command")
            detail = f"from {source}: {counted_people(outcome.people)}, {commands}"
            await self._store.write(
                lambda tx: acts.record(tx, by, COPY, f"terminal {sn}", detail, now)
            )
        return outcome

    async def _go(
        self,
        target: DistributionTarget,
        source: int,
        now: int,
        areas: frozenset[str] | None,
        *,
        is_written: bool,
    ) -> CopyOutcome:
        outcome = CopyOutcome()
        after: str | None = ""
        while after is not None:
            part = await self._store.read(
                partial(_people_thd, device_id=source, after=after, areas=areas)
            )
            unit = partial(_copy_thd, target=target, pins=part.pins, now=now, is_written=is_written)
            copied = await (self._store.write(unit) if is_written else self._store.read(unit))
            for pin, parts in copied.items():
                if parts is None:
                    outcome.people += 1
                    outcome.strangers += 1
                else:
                    outcome.add(pin, parts)
            after = part.after
        return outcome

    async def adopt(self, sn: str, by: Caller, now: int, *, dry_run: bool) -> AdoptOutcome:
        """Make the people whom a terminal holds people of its area.

        Fields, conflicts and other areas stay as they are.
        """

        def begin(tx: Transaction) -> tuple[int, AdoptOutcome]:
            device = _find(tx, sn)
            area = device.area or DEFAULT_AREA
            return device.id, AdoptOutcome(area, area in tx[AreaStore].distributing())

        key, outcome = await self._store.read(begin)

        def unit(tx: Transaction, pins: Sequence[str]) -> int:
            people, count = tx[PersonStore], 0
            areas = people.areas(pins)
            for pin in people.authored(pins):
                before = areas.get(pin, [])
                if outcome.area not in before:
                    count += 1
                    if not dry_run:
                        people.put_areas(pin, [*before, outcome.area], by.actor, now)
            return count

        after: str | None = ""
        while after is not None:
            part = await self._store.read(partial(_people_thd, device_id=key, after=after))
            outcome.people += len(part.pins)
            run = partial(unit, pins=part.pins)
            outcome.adopted += await (self._store.read(run) if dry_run else self._store.write(run))
            after = part.after
        if not dry_run:
            held = counted_people(outcome.people)
            detail = f"{outcome.adopted} of {held} into the area {outcome.area}"
            await self._store.write(
                lambda tx: acts.record(tx, by, ADOPT, f"terminal {sn}", detail, now)
            )
        return outcome


def _find(tx: Transaction, sn: str) -> Device:
    device = tx[DeviceStore].find(sn)
    if device is None:
        raise not_found(Phrase("There is no terminal %(sn)s.", sn=sn))
    return device


def _target_thd(tx: Transaction, sn: str, source: str) -> tuple[DistributionTarget, int]:
    device, other = _find(tx, sn), _find(tx, source)
    if device.id == other.id:
        raise ValueError(Phrase("from: terminal %(sn)s has its own people already.", sn=sn))
    if device.state is not DeviceState.APPROVED:
        raise ApiError(
            HTTPStatus.CONFLICT, Phrase("Terminal %(sn)s is not approved; approve it first.", sn=sn)
        )
    area = device.area or DEFAULT_AREA
    distributes = area in tx[AreaStore].distributing()
    return DistributionTarget(device.id, area, distributes, Abilities.of(device)), other.id


def _copy_thd(
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
