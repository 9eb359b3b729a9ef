"""Settlement of conflicts by operators, together with what follows and the audit records.

A conflict about a name has two possible reasons. Either there are two people under one user ID, and
one of them is right; see `contested`, `claims` and `strangers`. Or there is one person under a
wrong name; see `oneperson`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ...device import acts
from ...manage.services import Services
from ...model import Caller, Page
from ...persist.audit import AuditStore
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, words_of
from .administration import MOST_CONFLICTS, edit_of, end_conflicts
from .authorship import CARD, FIELDS, NAME, PRIVILEGE, says_nothing, terminal
from .bounds import own_conflicts_thd
from .cards import check_cards_thd
from .contested import Outcome
from .contradictions import ConflictStore
from .deciding import decide_thd, doubtful_thd, united_thd
from .givingback import former_thd
from .model import Conflict, PunchOwner
from .oneperson import OnePersonStore, is_alike
from .persons import PersonStore
from .stating import StatedParts
from .strangers import StrangerStore

SETTLE = "settle conflict"


class ConflictSettlement:
    """Settles conflicts on behalf of callers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    async def settle(
        self,
        conflict_id: int,
        fields: Mapping[str, object] | None,
        by: Caller,
        owner: PunchOwner | None = None,
        *,
        one_person: bool = False,
    ) -> Conflict:
        """Settle a conflict: take these fields, the terminal's word without them, or keep ours.

        `fields` of None takes the values that the terminal states; an empty mapping keeps the
        stored ones. `owner` says whose the doubtful punches are that came from the terminal; None
        leaves that open. With `one_person`, the terminal has the person under another name, and all
        that it has is the person's; see `oneperson`. Raises `LookupError` if there is no such open
        conflict, `ValueError` for invalid values, and `CardTaken` if another person has a card that
        the terminal does not state.
        """
        now = self._services.now()

        def unit(tx: Transaction) -> Conflict:
            found = tx[ConflictStore].get(conflict_id)
            if found is None:
                raise LookupError(
                    Phrase(
                        "There is no open conflict %(conflict_id)s; it may be settled.",
                        conflict_id=conflict_id,
                    )
                )
            _settle_thd(tx, found, fields, by, now, owner, one_person=one_person)
            return found

        return await self._store.write(unit)

    async def settle_all(
        self,
        ids: Sequence[int],
        fields: Mapping[str, object] | None,
        by: Caller,
        owner: PunchOwner | None = None,
        *,
        one_person: bool = False,
    ) -> int:
        """Settle several conflicts in the same way, as `settle` does: all of them or none.

        Returns the number of settled ones: those that are open, and that the caller may see. Raises
        `ValueError` as `settle` does, and if different values would be taken for one user.
        """
        now = self._services.now()

        def unit(tx: Transaction) -> int:
            found = own_conflicts_thd(tx, ids, by.areas)
            if fields is None:
                check_agreement(found)
            for one in found:
                try:
                    _settle_thd(tx, one, fields, by, now, owner, one_person=one_person)
                except ValueError as error:
                    raise ValueError(
                        Phrase("User %(pin)s: %(why)s", pin=one.pin, why=words_of(error))
                    ) from None
            return len(found)

        return await self._store.write(unit)


def check_agreement(conflicts: Sequence[Conflict]) -> None:
    """Raise `ValueError` if terminals state different values about the same user."""
    said: dict[str, Mapping[str, object] | None] = {}
    for one in conflicts:
        if said.setdefault(one.pin, one.said) != one.said:
            raise ValueError(
                Phrase(
                    "Terminals say different things about user %(pin)s. Choose only one of these "
                    "conflicts.",
                    pin=one.pin,
                )
            )


def _settle_thd(
    tx: Transaction,
    conflict: Conflict,
    fields: Mapping[str, object] | None,
    by: Caller,
    now: int,
    owner: PunchOwner | None,
    *,
    one_person: bool,
) -> None:
    """Settle a conflict with its audit record; see `ConflictSettlement.settle`."""
    pin, people = conflict.pin, tx[PersonStore]
    one_person = one_person and not {NAME, CARD}.isdisjoint(conflict.fields)
    taken = conflict.said if fields is None else fields
    if taken is None:
        raise ValueError(Phrase("The values of the terminal are damaged; give `fields` instead."))
    person = tx[AuditStore].person(pin)
    before = tx[ConflictStore].page(Page(MOST_CONFLICTS), pin)
    own = {one.id for one in own_conflicts_thd(tx, [one.id for one in before], by.areas)}
    if taken:
        values = {name: taken[name] for name in taken if name in FIELDS}
        said = conflict.said or {}
        edit = edit_of(pin, values, None, said)
        entered = {name: one for name, one in edit.fields.items() if one != said.get(name)}
        check_cards_thd(tx, by, pin, entered)
        people.put(pin, edit.fields, by.actor, now)
    elif one_person:
        _complete(tx, conflict, by, now)
    else:
        stored = people.values(pin)
        kept = {name: stored[name] for name in conflict.fields if name in stored}
        if NAME in conflict.fields:
            kept |= former_thd(tx, pin, conflict.device, conflict.at)
        people.put(pin, kept, by.actor, now)
    tx[ConflictStore].settle(conflict.id, by.actor, now)
    if one_person:
        _unite(tx, conflict, before, own, by, now)
    else:
        end_conflicts(tx, pin, before, by, now)
    if owner is not None and not one_person:
        for one in doubtful_thd(tx, conflict):
            decide_thd(tx, one, owner, by, now)
    told = acts.in_parts(" ".join(conflict.fields), "one person" if one_person else "")
    acts.record(tx, by, SETTLE, person, told, now)


def _complete(tx: Transaction, conflict: Conflict, by: Caller, now: int) -> None:
    """Keep the stored fields of a conflict, and fill empty ones with the terminal's values.

    The terminal is the author of those. A field that an operator has emptied stays empty, and a
    privilege never rises by a terminal.
    """
    people, pin = tx[PersonStore], conflict.pin
    stored = people.authored([pin])[pin]
    own = {name: stored[name] for name in conflict.fields if not stored[name].is_damaged}
    filled = {
        name: value
        for name, value in (conflict.said or {}).items()
        if name in own
        and name != PRIVILEGE
        and says_nothing(own[name].value)
        and not own[name].is_emptied
    }
    tx[ConflictStore].settle_fields(pin, own, by.actor, now)
    kept = {name: one.value for name, one in own.items() if name not in filled}
    people.put(pin, kept, by.actor, now)
    if filled:
        people.put(pin, filled, terminal(conflict.device), now)


def _unite(
    tx: Transaction,
    conflict: Conflict,
    before: Sequence[Conflict],
    own: Collection[int],
    by: Caller,
    now: int,
) -> None:
    """Make all that a terminal has under another name that of the person.

    `before` are the conflicts about the user that were open. `own` are the IDs of those of them
    that the caller may see: if they have the same name, they are about this person, too. The others
    are open again, unless the terminal states what is stored now.
    """
    store, values = tx[ConflictStore], tx[PersonStore].values(conflict.pin)
    still = {one.id for one in store.page(Page(MOST_CONFLICTS), conflict.pin)}
    for one in before:
        device, said = tx[DeviceStore].find(one.device), one.said or {}
        if one.id in still or device is None:
            continue
        is_same = one.id == conflict.id
        is_same = is_same or (one.id in own and is_alike(conflict.said or {}, said))
        if not is_same and (NAME in said or CARD in said) and not is_alike(said, values):
            tx[OnePersonStore].reopen([one.id])
            continue
        if is_same:
            tx[OnePersonStore].mark([one.id], is_one=True)
        tx[StrangerStore].gone(device.id, one.pin)
        if one.id in own:
            _give_punches(tx, one, by, now)
        tx[StatedParts].end_conflict(device.id, [one.pin], Outcome.BOTH, now)


def _give_punches(tx: Transaction, conflict: Conflict, by: Caller, now: int) -> None:
    """Give the person the punches of whom a terminal named in a conflict."""
    for one in united_thd(tx, conflict):
        decide_thd(tx, one, PunchOwner.PERSON, by, now)
