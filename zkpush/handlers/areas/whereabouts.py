"""Who is where, in words."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import msgspec

from ...model import Page
from ...persist.devices import DeviceStore
from ...phrases import Phrase, two_sentences
from ...protocol.codes import BiometricType
from ..people.store import OnePersonStore, PersonSurvey, StrangerStore, queued_deletions_thd
from .model import PartState, PersonPlace, PlacedPart
from .places import PlaceStore
from .reasons import PLACE_REASONS

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_THERE, ON_ITS_WAY = "there", "on_its_way"
HELD_BACK = "held_back"
SOMEBODY_ELSE = "somebody_else"
STATES = (
    *("there", ON_ITS_WAY, HELD_BACK, "conflict", SOMEBODY_ELSE, "refused", "does_not_fit"),
    "unknown",
)
"""States of people on terminals."""
_STATED = Phrase("The terminal has stated that it has the person.")
_STRANGER = Phrase("The terminal has somebody else under this user ID. Delete the user there.")
_WORDS = {
    PartState.THERE: Phrase("The terminal has the person."),
    PartState.WAITING: Phrase("Waits to be sent."),
    PartState.SENT: Phrase("A command is queued for the terminal."),
    PartState.UNKNOWN: Phrase("The terminal did not answer."),
}
_DELETION = {
    PartState.WAITING: Phrase("The deletion waits to be sent."),
    PartState.SENT: Phrase("A command that deletes the person is queued for the terminal."),
}
_NUMBERS = re.compile(" (?=[0-9])")
_ORDER = (
    PartState.CONFLICT,
    PartState.REFUSED,
    PartState.UNKNOWN,
    PartState.WAITING,
    PartState.SENT,
    PartState.DOES_NOT_FIT,
    PartState.THERE,
)
"""Parts in the first of these states decide the state of a person."""


def state_of(parts: Collection[PlacedPart], *, is_held_back: bool = False) -> tuple[str, str]:
    """Return the state of a person on a terminal, and its meaning.

    `is_held_back` says that deletions from the terminal wait for a confirmation.
    """
    state = min((part.state for part in parts), key=_ORDER.index)
    if any(part.wanted is None for part in parts):
        deletion = next(part for part in parts if part.wanted is None)
        if deletion.is_guarded and is_held_back and deletion.state is PartState.WAITING:
            return HELD_BACK, Phrase("The deletion waits for a confirmation.")
        reason = PLACE_REASONS.phrase(str(deletion.reason))
        words = _DELETION.get(deletion.state) or Phrase("The deletion: %(reason)s", reason=reason)
        return _name(deletion.state), words
    some = [part for part in parts if part.state is state]
    reasons = [
        _reason(part) if len(parts) == 1 else _named(part)
        for part in sorted(some, key=lambda part: part.part)
        if part.reason is not None
    ]
    if not reasons:
        return _name(state), _WORDS.get(state, "")
    return _name(state), functools.reduce(two_sentences, reasons)


def _reason(part: PlacedPart) -> str:
    return PLACE_REASONS.phrase(part.reason or "")


def _named(part: PlacedPart) -> str:
    return Phrase("%(part)s: %(reason)s", part=_words_of(part.part), reason=_reason(part))


def _words_of(part: str) -> str:
    """Return the name of a part in words, such as `template (fingerprint 6)`."""
    kind, *numbers = _NUMBERS.split(part)
    if len(numbers) < len(("type", "number")):
        return part
    type_ = BiometricType(int(numbers[0]))
    if not type_ or not type_.known:
        return kind
    return f"{kind} ({type_.meaning.lower()} {numbers[1]})"


def _name(state: PartState) -> str:
    return ON_ITS_WAY if state in (PartState.WAITING, PartState.SENT) else state.value


def _leaving(place: PersonPlace) -> PersonPlace:
    """Return the place of a person for whom a command of an operator waits that deletes the user.

    What is sent after it is not there yet, and says so by itself.
    """
    if place.state != _THERE or place.is_misnamed:
        return place
    return msgspec.structs.replace(place, state=ON_ITS_WAY, meaning=_DELETION[PartState.SENT])


class WhereaboutsStore:
    """Places of people."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def of_person(self, pin: str) -> list[PersonPlace] | None:
        """List the terminals of a person; None for an unknown one who is on no terminal."""
        person = self._tx[PersonSurvey].of([pin])[pin]
        parts = {key: some for (key, _), some in self._tx[PlaceStore].of_people([pin]).items()}
        keys = {*person.holders, *parts}
        if person.fields is None and not keys:
            return None
        devices = {one.id: one.sn for one in self._tx[DeviceStore].with_keys(keys)}
        others = self._others([pin])
        found = [
            self._place(key, key, devices[key], pin, [*parts.get(key, {}).values()], others)
            for key in sorted(keys, key=devices.__getitem__)
        ]
        leaving = queued_deletions_thd(self._tx, [(key, pin) for key in keys])
        return [_leaving(one) if (one.id, pin) in leaving else one for one in found]

    def at(self, device_id: int, sn: str, part: Page) -> list[PersonPlace]:
        """List the people on a terminal by id."""
        others = self._tx[PlaceStore].members_of(device_id)
        return self._at(device_id, sn, self._tx[PersonSurvey].pins_at(device_id, others, part))

    def in_order_at(
        self, device_id: int, sn: str, limit: int, after: str | None, areas: frozenset[str] | None
    ) -> list[PersonPlace]:
        """List the people on a terminal as people look for them, those who follow a user ID.

        `areas` are those of a limited caller.
        """
        others = self._tx[PlaceStore].members_of(device_id)
        found = self._tx[PersonSurvey].pins_in_order(device_id, others, limit, after, areas)
        return self._at(device_id, sn, found)

    def _at(self, device_id: int, sn: str, found: Collection[tuple[int, str]]) -> list[PersonPlace]:
        pins = [pin for _, pin in found]
        parts = self._tx[PlaceStore].of_people(pins)
        others = self._others(pins)
        leaving = queued_deletions_thd(self._tx, [(device_id, pin) for pin in pins])
        places = [
            self._place(
                key, device_id, sn, pin, [*parts.get((device_id, pin), {}).values()], others
            )
            for key, pin in found
        ]
        return [_leaving(one) if (device_id, one.pin) in leaving else one for one in places]

    def _others(self, pins: Collection[str]) -> dict[tuple[str, int], Phrase]:
        """Say what terminals have under user IDs that is not as stored, by ID and terminal."""
        named = self._tx[OnePersonStore].other_names(pins)
        found = {
            where: Phrase(
                "The terminal has the person under the name %(name)s. Correct the name at the "
                "terminal.",
                name=name,
            )
            for where, name in named.items()
        }
        for pin, devices in self._tx[StrangerStore].places(pins).items():
            found.update(dict.fromkeys(((pin, one) for one in devices), _STRANGER))
        return found

    def _place(
        self,
        key: int,
        device_id: int,
        sn: str,
        pin: str,
        parts: Collection[PlacedPart],
        others: Mapping[tuple[str, int], Phrase],
    ) -> PersonPlace:
        state, at = "there", None
        meaning: str = _STATED
        other, is_misnamed = others.get((pin, device_id)), False
        if not parts and other is not None:
            is_misnamed, meaning = other is not _STRANGER, other
            state = state if is_misnamed else SOMEBODY_ELSE
        elif parts:
            is_guarded = any(part.is_guarded for part in parts)
            is_held_back = is_guarded and self._tx[PlaceStore].is_held_back(device_id)
            state, meaning = state_of(parts, is_held_back=is_held_back)
            at = max(part.updated_at for part in parts)
        return PersonPlace(
            id=key,
            device=sn,
            pin=pin,
            state=state,
            meaning=meaning,
            updated_at=at,
            is_misnamed=is_misnamed,
        )
