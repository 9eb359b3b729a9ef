"""What belongs on a terminal of an area that distributes, and what follows from it.

Theory of operation. The comparison of a person on a terminal depends on present facts only: what is
stored about the person, what the terminal states, and what it was told. It does not depend on the
event that led to it, so a lost event delays a change until the next full comparison, and nothing
else. A part of a person is *there* if the terminal was told its present content, or states it
itself. So a source is not sent what it said, and repeating a comparison changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import attrs
import msgspec

from ..people.model import PartRecord, PersonField, PersonOverview
from .fits import Abilities, FittingPart, fitting_parts, misfit_of_pin
from .model import DELETED, MOST_TRIES, USER, PartState, PlacedPart

PRIVILEGE = "privilege"
Index = Callable[[bytes], bytes]
"""Keyed hash."""
_CONFLICT = "The terminal has other values; the conflict waits for a decision."
_STUBBORN = "The terminal keeps other values."


@attrs.frozen
class DistributionTarget:
    """A terminal with its area."""

    device_id: int
    area: str
    distributes: bool
    """Whether the terminal is approved, and its area distributes."""
    abilities: Abilities


@attrs.frozen
class WantedPart:
    """A part of a person that belongs on a terminal."""

    name: str
    digest: bytes
    is_stated: bool
    """Whether the terminal states this content itself."""
    is_gone: bool = False
    """Whether the terminal lost it after it was told."""
    misfit: str | None = None
    fitting: FittingPart | None = None
    """The template or photo; None for the fields."""


def sent_fields(fields: Mapping[str, PersonField]) -> dict[str, object]:
    """Return the values of a person that terminals are sent.

    A privilege that only a terminal has stated stays at that terminal.
    """
    return {
        name: field.value
        for name, field in fields.items()
        if field.value not in (None, "") and (name != PRIVILEGE or field.by_operator)
    }


def is_copying(target: DistributionTarget, stored: Collection[PlacedPart]) -> bool:
    """Whether parts of a person are on their way to a terminal that does not distribute."""
    return not target.distributes and any(map(_is_on_its_way, stored))


def _is_on_its_way(part: PlacedPart) -> bool:
    return part.is_copied and part.state in (PartState.WAITING, PartState.SENT)


def wanted_parts(
    pin: str,
    person: PersonOverview,
    target: DistributionTarget,
    index: Index,
    *,
    is_copied: bool = False,
) -> dict[str, WantedPart] | None:
    """Return the parts of a person that belong on a terminal; None if the person does not.

    A person who is copied belongs there whatever the area is.
    """
    fields = person.fields
    is_member = target.distributes and target.area in person.areas
    if target.distributes and target.device_id in person.strangers:
        return None  # the user is deleted there first
    if fields is None or not (is_member or is_copied):
        return None
    found = {USER: wanted_fields(person, fields, target, index)}
    misfit = misfit_of_pin(target.abilities, pin)
    if misfit is not None:
        found[USER] = attrs.evolve(found[USER], misfit=misfit)
        return found
    templates, photos = (
        [one for one in records if _is_trusted(one, person, target)]
        for records in (person.templates, person.photos)
    )
    for part in fitting_parts(target.abilities, templates, photos):
        record = part.record
        content = (part.form, part.post_back, record.key[1:], record.content.hex(), record.flags)
        found[part.name] = WantedPart(
            part.name,
            index(msgspec.json.encode(content)),
            is_stated=target.device_id in record.reporters,
            is_gone=target.device_id in record.removed_from,
            misfit=part.misfit,
            fitting=part,
        )
    return found


def _is_trusted(record: PartRecord, person: PersonOverview, target: DistributionTarget) -> bool:
    """Whether a template or photo is certainly of the person.

    A terminal with an open conflict may have another person under the user ID.
    """
    reporters = record.reporters
    return target.device_id in reporters or not reporters or not reporters <= person.contradicting


def wanted_fields(
    person: PersonOverview,
    fields: Mapping[str, PersonField],
    target: DistributionTarget,
    index: Index,
) -> WantedPart:
    """Return the fields of a person as they belong on a terminal."""
    values = sent_fields(fields)
    emptied = sorted(name for name, field in fields.items() if field.is_emptied)
    word = person.words.get(target.device_id)
    is_held = target.device_id in person.holders
    agrees = word is not None and all(
        word.get(name) == value or (name not in word and fields[name].is_default)
        for name, value in values.items()
    )
    is_empty_there = word is not None and not any(word.get(name) for name in emptied)
    return WantedPart(
        USER,
        index(msgspec.json.encode((sorted(values.items()), emptied))),
        is_stated=is_held and agrees and is_empty_there,
        is_gone=not is_held or (word is not None and not agrees),
    )


def compare(
    pin: str,
    person: PersonOverview,
    target: DistributionTarget,
    stored: Mapping[str, PlacedPart],
    index: Index,
    now: int,
    *,
    again: bool = False,
) -> tuple[list[PlacedPart], list[PlacedPart]]:
    """Compare a person on a terminal; returns the parts to store, and those to remove.

    `stored` are the parts that are stored, by name. With `again`, parts that were refused or are
    unknown are tried again.
    """
    wanted = wanted_parts(pin, person, target, index)
    if wanted is None and person.fields is not None and is_copying(target, stored.values()):
        after = _copying(pin, person, target, stored, index, now, again=again)
    elif wanted is None:
        after = leaving_parts(pin, person, target, stored, now, again=again)
    else:
        is_contradicting = target.device_id in person.contradicting
        after = [
            _step(pin, one, target, stored.get(one.name), now, again, is_contradicting)
            for one in wanted.values()
        ]
    names = {one.part for one in after}
    changed = [one for one in after if not _is_same(one, stored.get(one.part))]
    return changed, [one for name, one in stored.items() if name not in names]


def copied_parts(
    pin: str,
    person: PersonOverview,
    target: DistributionTarget,
    stored: Mapping[str, PlacedPart],
    index: Index,
    now: int,
) -> list[PlacedPart]:
    """Return the parts of a person who is to be copied to a terminal that does not distribute."""
    is_contradicting = target.device_id in person.contradicting
    parts = [
        _step(pin, one, target, stored.get(one.name), now, True, is_contradicting)
        for one in _copied(pin, person, target, index).values()
    ]
    return [msgspec.structs.replace(part, is_copied=True) for part in parts]


def _copied(
    pin: str, person: PersonOverview, target: DistributionTarget, index: Index
) -> dict[str, WantedPart]:
    """Return the parts to copy.

    Templates are not copied to a terminal that may have another person under the user ID.
    """
    wanted = wanted_parts(pin, person, target, index, is_copied=True) or {}
    if target.device_id in person.contradicting:
        return {name: one for name, one in wanted.items() if name == USER}
    return wanted


def _copying(
    pin: str,
    person: PersonOverview,
    target: DistributionTarget,
    stored: Mapping[str, PlacedPart],
    index: Index,
    now: int,
    *,
    again: bool,
) -> list[PlacedPart]:
    """Return the parts of a person who is being copied.

    A copy is made once: what is there already does not follow later changes.
    """
    wanted = _copied(pin, person, target, index)
    is_contradicting = target.device_id in person.contradicting
    after = []
    for name, part in stored.items():
        if not _is_on_its_way(part):
            after.append(part)
        elif name in wanted:
            after.append(_step(pin, wanted[name], target, part, now, again, is_contradicting))
    return after


def _is_same(one: PlacedPart, stored: PlacedPart | None) -> bool:
    return stored is not None and one == msgspec.structs.replace(stored, updated_at=one.updated_at)


def _step(
    pin: str,
    wanted: WantedPart,
    target: DistributionTarget,
    before: PlacedPart | None,
    now: int,
    again: bool,
    is_contradicting: bool,
) -> PlacedPart:
    if before is None:
        before = PlacedPart(
            device_id=target.device_id,
            pin=pin,
            part=wanted.name,
            wanted=None,
            state=PartState.WAITING,
            updated_at=now,
        )

    def part(state: PartState, reason: str | None = None, **more: Any) -> PlacedPart:
        values = {"wanted": wanted.digest, "is_guarded": False, "updated_at": now, **more}
        return msgspec.structs.replace(before, state=state, reason=reason, **values)

    is_new = before.wanted != wanted.digest
    if wanted.misfit is not None:
        return part(PartState.DOES_NOT_FIT, wanted.misfit, tries=0)
    is_open = before.command is not None
    if is_open and before.sent == wanted.digest:
        return part(PartState.SENT)
    is_told = before.told == wanted.digest
    if not is_open and (wanted.is_stated or (is_told and not wanted.is_gone)):
        return part(PartState.THERE, told=wanted.digest, tries=0)
    if is_contradicting and not is_open:
        return part(PartState.CONFLICT, _CONFLICT)
    if is_new:
        return part(PartState.WAITING, tries=0)
    if before.state in (PartState.REFUSED, PartState.DOES_NOT_FIT, PartState.UNKNOWN) and not again:
        return part(before.state, before.reason)
    if is_told and before.state is PartState.THERE:  # it had it, and has something else now
        tries = 0 if again else before.tries + 1
        if tries > MOST_TRIES:
            return part(PartState.UNKNOWN, _STUBBORN, tries=tries)
        return part(PartState.WAITING, told=None, tries=tries)
    return part(PartState.WAITING, tries=0 if again else before.tries)


def leaving_parts(
    pin: str,
    person: PersonOverview,
    target: DistributionTarget,
    stored: Mapping[str, PlacedPart],
    now: int,
    *,
    again: bool,
) -> list[PlacedPart]:
    """Return the deletion of a person who does not belong on a terminal."""
    before = stored.get(USER)
    # A deletion that is not queued yet is for something that the server has sent, or may have.
    is_ours = any(
        one.told is not None or one.command is not None or one.wanted is None or one.tries > 0
        for one in stored.values()
    )
    is_stranger = target.distributes and target.device_id in person.strangers
    is_removed = person.fields is None or is_stranger
    is_there = target.device_id in person.holders
    if not target.distributes and not (is_removed and is_ours):
        return _stopped(stored.values(), now)
    if not (is_there or is_ours):
        return []
    is_decided = before is not None and before.wanted is None and not again
    if before is not None and is_decided:
        if before.state is PartState.WAITING:
            before = msgspec.structs.replace(before, is_guarded=not is_removed)
        return [msgspec.structs.replace(before, updated_at=now)]
    # The deletion follows an open command for the person, also on a terminal that is emptied.
    parts = sorted(stored.values(), key=lambda one: one.part != USER)
    opened = next((one for one in parts if one.command is not None), None)
    is_deleting = opened is not None and opened.sent == DELETED
    return [
        PlacedPart(
            device_id=target.device_id,
            pin=pin,
            part=USER,
            wanted=None,
            told=None if before is None else before.told,
            sent=None if opened is None else opened.sent,
            command=None if opened is None else opened.command,
            state=PartState.SENT if is_deleting else PartState.WAITING,
            is_guarded=not is_removed,
            updated_at=now,
        )
    ]


def _stopped(stored: Iterable[PlacedPart], now: int) -> list[PlacedPart]:
    """Return the parts that stay known on a terminal whose area does not distribute any more."""
    return [
        msgspec.structs.replace(
            one, wanted=one.told, state=PartState.THERE, reason=None, tries=0, updated_at=now
        )
        for one in stored
        if one.told is not None or one.command is not None
    ]
