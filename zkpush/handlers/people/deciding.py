"""Decisions on whose the punches are that came from a terminal with somebody else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import attrs

from ...device import acts
from ...manage.errors import ApiError
from ...manage.limits import Belongs, Owner, id_of, of_both, of_device, visible_thd
from ...manage.services import Services
from ...model import Caller
from ...persist.audit import AuditStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from .authorship import NAME, is_same_name
from .claims import ClaimStore
from .contested import ContestedParts, Outcome
from .givingback import former_thd
from .holders import Holders
from .model import Conflict, PunchClaim, PunchOwner
from .oneperson import OnePersonStore, is_alike
from .persons import PersonStore
from .stating import StatedParts
from .strangers import StrangerStore

DECIDE = "decide on punches"
_WORDS = {
    PunchOwner.PERSON: "those of the person",
    PunchOwner.OTHER: "those of another person",
    None: "doubtful again",
}


def owner_of(choice: str | None) -> PunchOwner | None:
    """Return the owner that a choice names: `person`, `other`, or nobody yet."""
    return None if choice in (None, "later") else PunchOwner(choice)


def decide_thd(
    tx: Transaction, claim: PunchClaim, owner: PunchOwner | None, by: Caller, now: int
) -> None:
    """Decide whose the punches of a claim are, with the audit record."""
    tx[ClaimStore].decide(claim.id, owner, by.actor, now)
    person = tx[AuditStore].person(claim.pin)
    detail = f"punches from terminal {claim.device}: {_WORDS[owner]}"
    acts.record(tx, by, DECIDE, person, detail, now)


def doubtful_thd(tx: Transaction, conflict: Conflict, *, decided: bool = False) -> list[PunchClaim]:
    """Return the claims that a conflict is about and that nobody has decided, or all of them.

    Those from before the person had the user ID are not among them.
    """
    found = tx[ClaimStore].of_people([conflict.pin])
    holders = Holders.of(tx, {}, [conflict.pin])
    return [
        one
        for one in found
        if one.device == conflict.device
        and (decided or one.owner is None)
        and holders.of_claim(one).earlier is None
    ]


def united_thd(tx: Transaction, conflict: Conflict) -> list[PunchClaim]:
    """Return the claims that become the person's if a conflict is about one person.

    Those that were decided for another person are among them if they have the same name.
    """
    said = conflict.said or {}
    return [
        one
        for one in doubtful_thd(tx, conflict, decided=True)
        if (one.owner is None and not one.name)
        or (one.owner is not PunchOwner.PERSON and is_alike(said, {NAME: one.name}))
    ]


def is_of_erased_thd(tx: Transaction, claim: PunchClaim) -> bool:
    """Whether who had the user ID at the time of a claim is erased."""
    holder = Holders.of(tx, {}, [claim.pin]).of_claim(claim)
    return holder.is_hidden or (holder.earlier is None and tx[PersonStore].is_erased(claim.pin))


def check_owner_thd(tx: Transaction, claim: PunchClaim, owner: PunchOwner | None) -> None:
    """Raise `ApiError` (409) if punches are given to somebody who is erased.

    They would be nobody's, and would lose their mark.
    """
    if owner is PunchOwner.PERSON and is_of_erased_thd(tx, claim):
        raise ApiError(
            HTTPStatus.CONFLICT,
            Phrase(
                "These punches are from the time of a person who is erased, and who had user ID "
                "%(pin)s. They cannot be given to that person, nor to the present holder of the "
                "ID.",
                pin=claim.pin,
            ),
        )


@attrs.frozen
class CountedClaim:
    """A claim, and how many punches it is about."""

    claim: PunchClaim
    punches: int
    one_person: bool | None = None
    """Whether it is decided to be one person under two names; None if there is no such choice."""


class PunchDecisions:
    """Whose punches are, on behalf of callers."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def counted_thd(self, tx: Transaction, claims: Sequence[PunchClaim]) -> list[CountedClaim]:
        """Count the punches of claims."""
        count = self._services.count_punches_thd
        decided = tx[OnePersonStore].of_claims(claims)
        return [
            CountedClaim(one, count(tx, one.span), decided.get(one.id, (None, []))[0])
            for one in claims
        ]

    async def decide(
        self,
        claim_id: int,
        owner: PunchOwner | None,
        by: Caller,
        *,
        one_person: bool = False,
    ) -> PunchClaim:
        """Decide, or decide anew; None makes the punches doubtful. `LookupError` without it.

        With `one_person`, the terminal has the person under another name; see `oneperson`. Any
        other owner takes that back. Raises `ValueError` if no settled conflict has the name.
        """
        now = self._services.now()

        def unit(tx: Transaction) -> PunchClaim:
            found = tx[ClaimStore].get(claim_id)
            if found is None:
                raise LookupError(Phrase("There are no such punches any more."))
            check_owner_thd(tx, found, owner)
            if one_person and owner is PunchOwner.PERSON:
                _unite_thd(tx, found, by, now)
            elif owner is not PunchOwner.PERSON:
                _part_thd(tx, found, owner, by, now)
            decide_thd(tx, found, owner, by, now)
            after = tx[ClaimStore].get(claim_id)
            return after or found

        return await self._services.store.write(unit)


def _unite_thd(tx: Transaction, claim: PunchClaim, by: Caller, now: int) -> None:
    """Record that whom a terminal names is the person, under another name."""
    decided = tx[OnePersonStore].of_claims([claim]).get(claim.id)
    if decided is None:
        raise ValueError(
            Phrase(
                "one_person: no settled conflict with terminal %(sn)s has this name. Settle the "
                "conflict instead.",
                sn=claim.device,
            )
        )
    is_one, ids = decided
    if not is_one:
        tx[OnePersonStore].mark(ids, is_one=True)
        tx[StrangerStore].gone(claim.device_id, claim.pin)
        tx[StatedParts].end_conflict(claim.device_id, [claim.pin], Outcome.BOTH, now)
        tx[PersonStore].tell("user", claim.device, [claim.pin], now)
        person = tx[AuditStore].person(claim.pin)
        acts.record(tx, by, DECIDE, person, f"one person at terminal {claim.device}", now)


def _part_thd(
    tx: Transaction, claim: PunchClaim, owner: PunchOwner | None, by: Caller, now: int
) -> None:
    """Take back that whom a terminal names is the person, if that was decided.

    If the punches are doubtful again, so is the name, unless the terminal has been corrected: the
    conflict is open again, and what the terminal has sent is kept apart until it is settled.
    Otherwise there are two people: what the terminal has sent is deleted here, the fields that it
    has changed are as before, and it has the other one until it has deleted the user, as have
    terminals that were given some of it.
    """
    is_one, ids = tx[OnePersonStore].of_claims([claim]).get(claim.id, (False, []))
    if not is_one:
        return
    named = tx[OnePersonStore].other_names([claim.pin]).get((claim.pin, claim.device_id))
    is_named = named is not None and is_same_name(named, claim.name)
    tx[OnePersonStore].mark(ids, is_one=False)
    if is_named or owner is not None:
        given = tx[ContestedParts].part(claim.device_id, claim.pin)
        if given:
            given |= tx[StrangerStore].awaiting(claim.pin)
            tx[StrangerStore].add([claim.pin], given - {claim.device_id}, now)
    if is_named:
        tx[ClaimStore].resume(claim)
    if owner is not None:
        since, until = tx[OnePersonStore].since(ids), None if is_named else claim.until_at
        former = former_thd(tx, claim.pin, claim.device, since, until)
        if former:
            tx[PersonStore].put(claim.pin, former, by.actor, now)
        tx[StatedParts].end_conflict(claim.device_id, [claim.pin], Outcome.STORED, now)
    elif is_named:
        tx[OnePersonStore].reopen(ids[-1:])
    tx[PersonStore].tell("user", claim.device, [claim.pin], now)
    words = "in doubt again whether one person" if owner is None else "two people"
    person = tx[AuditStore].person(claim.pin)
    acts.record(tx, by, DECIDE, person, f"{words} at terminal {claim.device}", now)


def is_others(claim: PunchClaim) -> bool:
    """Whether the punches are, or may be, another person's."""
    return claim.owner is not PunchOwner.PERSON


def check_others_thd(tx: Transaction, pin: str, by: Caller) -> None:
    """Raise `ApiError` (409) if punches of others are from terminals that a caller may not see."""
    found = [one for one in tx[ClaimStore].of_people([pin]) if is_others(one)]
    if by.areas is not None and len(visible_thd(tx, found, of_device, by.areas)) < len(found):
        raise ApiError(
            HTTPStatus.CONFLICT,
            Phrase(
                "Some of the punches of other people are from terminals of other areas; erase "
                "with a token without areas."
            ),
        )


def _owners_thd(tx: Transaction, names: Mapping[str, Any]) -> Collection[Owner]:
    found = tx[ClaimStore].get(int(id_of(names)))
    return () if found is None else of_both(found)


CLAIM = Belongs(_owners_thd, "There are no such punches any more.")
"""The claim that a path names."""
