"""Operator actions on people: add, change, remove, erase, and settle conflicts.

Each action is stored together with its audit record and, where terminals have to follow, with the
commands for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

from ...counting import counted
from ...device import acts
from ...device.changes import check_scopes
from ...device.replacing import subject_of
from ...manage.services import Services
from ...model import Caller, Page
from ...persist.audit import AuditStore
from ...persist.devices import DeviceStore
from ...persist.erasing import PersonErasure, erase_commands
from ...persist.transaction import Transaction
from ...phrases import Phrase, words_of
from ...protocol.fields import Scope
from ...values.commands import QueuedCommand
from .bounds import (
    areas_of_thd,
    check_removal_thd,
    own_terminals_thd,
)
from .cards import check_cards_thd, with_numbers
from .claims import ClaimStore
from .contested import Outcome, outcome_of
from .contradictions import ConflictStore
from .deciding import check_others_thd
from .deletionstates import (
    asked_again,
    deletions_of_thd,
    possible_holders_thd,
    to_ask_thd,
)
from .entering import PersonMistakes, mistakes_in
from .erased import ErasedPeople
from .model import CHANGE_PERSON, ERASE, Conflict, DeletePerson, Portrait, check_area
from .persons import PersonStore
from .portraits import PortraitStore
from .returns import HOWEVER_LATE
from .showing import NO_PERSON, departed_thd
from .stating import StatedParts
from .store import PeopleStore
from .wording import UPDATES

ADD, REMOVE = "add person", "remove person"
PUT_PHOTO, REMOVE_PHOTO = "put photo", "remove photo"
MOST_AREAS = 100
MOST_CONFLICTS = 1000
"""Most open conflicts about one user that are read."""
_PUT = UPDATES["DATA UPDATE USERINFO"]


@attrs.frozen
class PersonEdit:
    """A validated change of a person."""

    pin: str
    fields: Mapping[str, object]
    """New values by field; None empties a field."""
    areas: Sequence[str] | None = None
    """New areas; None leaves them unchanged."""


def edit_of(
    pin: str,
    fields: Mapping[str, object],
    areas: Sequence[str] | None,
    known: Mapping[str, object] = MappingProxyType({}),
    *,
    is_new: bool = False,
) -> PersonEdit:
    """Validate a change; `PersonMistakes` names all mistakes by the fields of the API.

    For `known` and `is_new` see `mistakes_in`.
    """
    given = {name: None if value == "" else value for name, value in fields.items()}
    wrong = mistakes_in(pin, given, known, is_new=is_new)
    for area in areas or ():
        try:
            check_area(area)
        except ValueError as error:
            wrong["areas"] = words_of(error)
    if len(areas or ()) > MOST_AREAS:
        wrong["areas"] = Phrase("at most %(num)s", num=MOST_AREAS)
    if wrong:
        raise PersonMistakes(wrong)
    return PersonEdit(pin, with_numbers(given, known), areas)


class PeopleAdministration:
    """Changes people on behalf of callers of the API."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    async def put(self, edit: PersonEdit, by: Caller) -> bool:
        """Add or change a person; returns whether the person is new.

        Raises `CardTaken` if another person has the card.
        """
        now = self._services.now()
        return await self._store.write(lambda tx: put_thd(tx, edit, by, now))

    async def remove(
        self,
        pin: str,
        by: Caller,
        *,
        erase: bool = False,
        attendance: bool = False,
        others: bool = False,
        terminals: bool = False,
    ) -> tuple[list[str], list[QueuedCommand]]:
        """Remove a person here; with `erase`, everywhere.

        With `terminals`, the terminals that have or may have the person are told to delete the
        person, too, but for those of areas that distribute, and those to which the server has sent
        the person: they do so by themselves.

        With `attendance`, punches are erased, too; with `others` as well, also those that are, or
        may be, another person's; see `claims`.

        Returns the serial numbers of the terminals that last stated that they have the person, and
        the commands queued for them; with `erase`, also of terminals that may have got the person
        by a command without an answer. Raises `LookupError` for an unknown person.
        """
        services, now = self._services, self._services.now()
        check_scopes(by, {Scope.DANGEROUS} if erase or attendance else (), "Erasing a person")

        def unit(tx: Transaction) -> tuple[list[str], list[QueuedCommand]]:
            people = tx[PersonStore]
            holders = people.holders(pin)
            person = tx[AuditStore].person(pin)
            erasure = PersonErasure(
                tx=tx,
                pin=pin,
                now=now,
                with_attendance=attendance,
                with_others=others,
                spans=tx[PeopleStore].holders([pin]).present_spans(pin),
            )
            subject = subject_of(_PUT, {"PIN": pin})
            check_removal_thd(tx, by, pin, holders if erase else ())
            if others:
                check_others_thd(tx, pin, by)
            if erase and subject is not None:
                earlier = tx[ErasedPeople].holders(pin)
                holders = sorted({*holders, *earlier, *erase_commands(erasure, subject)})
            told: list[str] = []
            if terminals and not erase:
                found = own_terminals_thd(tx, by, possible_holders_thd(tx, pin))
                told = to_ask_thd(tx, pin, found)
            is_known = people.remove(pin, by.actor, now, erased=erase)
            erased = sum(eraser(erasure) for eraser in services.erasers) if erase else 0
            if not (is_known or erased or (erase and holders)):
                raise LookupError(Phrase("There is no user %(pin)s.", pin=pin))
            have = f"{counted(len(holders), 'terminal has', 'terminals have')} the person"
            punches = "punches erased, too" if attendance else "punches stay"
            if others:
                punches += ", also those of other people"
            detail = acts.in_parts(have if holders else "", punches if erase else "")
            acts.record(tx, by, ERASE if erase else REMOVE, person, detail, now)
            if not erase:
                return own_terminals_thd(tx, by, holders), self._delete_thd(tx, pin, told, by, now)
            tx[ErasedPeople].hold(pin, holders)
            return holders, self._delete_thd(tx, pin, holders, by, now)

        holders, queued = await self._store.write(unit)
        for command in queued:
            services.queue.hurry(command.device, command.not_before_at)
        return holders, queued

    async def take_off(self, pin: str, by: Caller) -> list[QueuedCommand]:
        """Tell the terminals that still have somebody who left to delete the person.

        Raises `LookupError` if there is nobody like this whom the caller may see.
        """
        now = self._services.now()

        def unit(tx: Transaction) -> list[QueuedCommand]:
            departure = departed_thd(tx, pin, by)
            if departure is None:
                raise LookupError(NO_PERSON)
            told = own_terminals_thd(tx, by, asked_again(deletions_of_thd(tx, pin, departure)))
            return self._delete_thd(tx, pin, told, by, now)

        queued = await self._store.write(unit)
        for command in queued:
            self._services.queue.hurry(command.device, command.not_before_at)
        return queued

    def _delete_thd(
        self, tx: Transaction, pin: str, holders: Sequence[str], by: Caller, now: int
    ) -> list[QueuedCommand]:
        """Queue the commands that delete a person from terminals, where these can do so."""
        queued: list[QueuedCommand] = []
        for sn in holders:
            device = tx[DeviceStore].find(sn)
            if device is not None:
                intent = DeletePerson(pin)
                queued += self._services.queue.ask_thd(tx, device, intent, by, now, HOWEVER_LATE)
        return queued

    async def put_photo(self, pin: str, kind: Portrait, content: bytes, by: Caller) -> None:
        """Store a photo of a person; raises `LookupError` for an unknown person."""
        now = self._services.now()

        def unit(tx: Transaction) -> None:
            _check_known(tx, pin)
            tx[PortraitStore].put(pin, kind, content, by.actor, now)
            person = tx[AuditStore].person(pin)
            acts.record(tx, by, PUT_PHOTO, person, f"{kind.value}, {len(content)} bytes", now)

        await self._store.write(unit)

    async def remove_photo(self, pin: str, kind: Portrait, by: Caller) -> None:
        """Remove a photo of a person; raises `LookupError` if there is none."""
        now = self._services.now()

        def unit(tx: Transaction) -> None:
            _check_known(tx, pin)
            if not tx[PortraitStore].remove(pin, kind, by.actor, now):
                raise LookupError(Phrase("User %(pin)s has no such photo.", pin=pin))
            acts.record(tx, by, REMOVE_PHOTO, tx[AuditStore].person(pin), kind.value, now)

        await self._store.write(unit)


def _check_known(tx: Transaction, pin: str) -> None:
    if not tx[PersonStore].lock(pin):
        raise LookupError(Phrase("There is no user %(pin)s.", pin=pin))


def end_conflicts(
    tx: Transaction, pin: str, before: Sequence[Conflict], by: Caller, now: int
) -> None:
    """Decide about what was kept apart of a user, after conflicts have been settled."""
    if not before:
        return
    still = {one.id for one in tx[ConflictStore].page(Page(MOST_CONFLICTS), pin)}
    values = tx[PersonStore].values(pin)
    for one in before:
        device = tx[DeviceStore].find(one.device)
        if one.id not in still and device is not None:
            outcome = outcome_of(one, values)
            if outcome is Outcome.TERMINAL:
                tx[ClaimStore].take(device.id, pin, by.actor, now)
            tx[StatedParts].end_conflict(device.id, [pin], outcome, now)


def _filled(fields: Mapping[str, object]) -> list[str]:
    """Return the fields that have a value."""
    return [name for name, value in fields.items() if value is not None]


def put_thd(tx: Transaction, edit: PersonEdit, by: Caller, now: int, way: str = "") -> bool:
    """Add or change a person, with its audit record; returns whether the person is new.

    The record tells the `way` of the change, if it has one of its own.

    Raises `CardTaken` if another person has the card, and as `areas_of_thd` does.
    """
    areas = areas_of_thd(tx, by, edit.pin, edit.areas)
    check_cards_thd(tx, by, edit.pin, edit.fields)
    before = tx[ConflictStore].page(Page(MOST_CONFLICTS), edit.pin)
    is_new = tx[PersonStore].put(edit.pin, edit.fields, by.actor, now)
    end_conflicts(tx, edit.pin, before, by, now)
    if areas is not None:
        tx[PersonStore].put_areas(edit.pin, areas, by.actor, now)
    given = edit.fields if not is_new else _filled(edit.fields)
    told = [*given, *(("areas",) if edit.areas or (edit.areas is not None and not is_new) else ())]
    person = tx[AuditStore].person(edit.pin)
    acts.record(
        tx, by, ADD if is_new else CHANGE_PERSON, person, acts.in_parts(", ".join(told), way), now
    )
    return is_new
