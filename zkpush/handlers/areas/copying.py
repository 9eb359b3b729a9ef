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
from ...model import Caller, Device
from ...persist.devices import DeviceStore
from ...persist.limits import AreaLimitStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ..people.store import DEFAULT_AREA, PersonStore, PersonSurvey
from .copies import CopyOutcome, copy_thd, refusal_of, target_thd
from .desired import DistributionTarget
from .store import AreaStore

COPY, ADOPT = "copy people", "adopt people"
AT_ONCE = 50
"""People read or written in one unit of work."""


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
        target, from_id = await self._store.read(partial(_targets_thd, sn=sn, source=source))
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
            unit = partial(copy_thd, target=target, pins=part.pins, now=now, is_written=is_written)
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


def _targets_thd(tx: Transaction, sn: str, source: str) -> tuple[DistributionTarget, int]:
    device, other = _find(tx, sn), _find(tx, source)
    if device.id == other.id:
        raise ValueError(Phrase("from: terminal %(sn)s has its own people already.", sn=sn))
    refusal = refusal_of(device)
    if refusal is not None:
        raise ApiError(HTTPStatus.CONFLICT, refusal)
    return target_thd(tx, device), other.id
