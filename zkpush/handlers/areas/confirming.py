"""What it means that an area distributes, and the confirmation of deletions."""

from __future__ import annotations

from collections.abc import Sequence

from ...counting import people_phrase
from ...manage.errors import NotConfirmed
from ...persist.devices import DeviceStore
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase, sentences, two_sentences
from ..people.store import PersonSurvey, UnconfirmedPeople
from .beginning import effect_phrases
from .distribution import DistributionStore
from .model import Area, DistributionEffect, DistributionTerminal
from .places import PlaceStore
from .store import AreaStore


def area_terminals(tx: Transaction, name: str) -> list[int]:
    """Return the approved terminals of an area."""
    return [one.id for one in tx[TargetStore].approved(name)]


def effect_of(tx: Transaction, area: Area) -> DistributionEffect:
    """Return what it means that an area distributes."""
    keys = area_terminals(tx, area.name)
    deletions = sum(_deletions(tx, area, key) for key in keys)
    parts = area.users + tx[PersonSurvey].parts_in(area.name)
    unconfirmed, privileged, with_passwords, of_terminals = (
        (0, 0, 0, 0) if area.distributes else tx[UnconfirmedPeople].counts(area.name)
    )
    return DistributionEffect(
        people=area.users,
        devices=len(keys),
        commands=parts * len(keys) + deletions,
        deletions=deletions,
        unconfirmed=unconfirmed,
        privileged=privileged,
        with_passwords=with_passwords,
        of_terminals=of_terminals,
        unfetched=0 if area.distributes else sum(unfetched_thd(tx, keys).values()),
    )


def unfetched_thd(tx: Transaction, keys: Sequence[int]) -> dict[str, int]:
    """Count the people whom terminals count beyond those that they have stated.

    Returns the numbers by serial number, of those terminals that have any.
    """
    known = tx[PersonSurvey].people_on(keys)
    missing = {
        one.sn: one.counts.get("users", 0) - known.get(one.id, 0)
        for one in tx[DeviceStore].with_keys(keys)
    }
    return {sn: number for sn, number in missing.items() if number > 0}


def _deletions(tx: Transaction, area: Area, device_id: int) -> int:
    if area.distributes:
        return tx[PlaceStore].guarded(device_id)
    return tx[PersonSurvey].strangers(device_id, area.name)


def confirm(tx: Transaction, name: str, number: int | None, now: int, *, begins: bool) -> None:
    """Allow the deletions that a caller has confirmed by their number.

    `begins` says that the area has not distributed before. Raises `ApiError` if the number is
    missing or wrong; then nothing is changed.
    """
    area = tx[AreaStore].find(name)
    if area is None or (number is None and not begins):
        return
    if begins:
        area = Area(
            place=area.place,
            name=name,
            description=area.description,
            distributes=False,
            devices=area.devices,
            users=area.users,
        )
    effect = effect_of(tx, area)
    if (number or 0) != effect.deletions:
        text = Phrase(
            "The area %(name)s has %(people)s and %(terminals)s; at most %(commands)s needed. "
            "%(deleted)s would be deleted from terminals",
            name=name,
            people=people_phrase(effect.people),
            terminals=counted_phrase(
                "%(num)s approved terminal", "%(num)s approved terminals", effect.devices
            ),
            commands=counted_phrase("%(num)s command is", "%(num)s commands are", effect.commands),
            deleted=people_phrase(effect.deletions),
        )
        if begins:
            text = two_sentences(sentences(effect_phrases(effect)), text)
        raise NotConfirmed(text, effect.deletions)
    known = tx[DistributionStore].terminals()
    for key in area_terminals(tx, name):
        count = _deletions(tx, area, key)
        if key in known:
            tx[DistributionStore].change(key, may_delete=count)
        elif count:
            terminal = DistributionTerminal(
                device_id=key,
                area=name,
                basis="",
                users=0,
                phase=0,
                after="",
                due_at=now,
                may_delete=count,
            )
            tx[DistributionStore].put(terminal)
