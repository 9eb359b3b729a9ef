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
from .claims import ClaimStore
from .holders import Holders
from .model import Conflict, PunchClaim, PunchOwner
from .persons import PersonStore

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


def doubtful_thd(tx: Transaction, conflict: Conflict) -> list[PunchClaim]:
    """Return the claims that a conflict is about and that nobody has decided.

    Those from before the person had the user ID are not among them.
    """
    found = tx[ClaimStore].of_people([conflict.pin])
    holders = Holders.of(tx, {}, [conflict.pin])
    return [
        one
        for one in found
        if one.device == conflict.device
        and one.owner is None
        and holders.of_claim(one).earlier is None
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


class PunchDecisions:
    """Whose punches are, on behalf of callers."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def counted_thd(self, tx: Transaction, claims: Sequence[PunchClaim]) -> list[CountedClaim]:
        """Count the punches of claims."""
        count = self._services.count_punches_thd
        return [CountedClaim(one, count(tx, one.span)) for one in claims]

    async def decide(self, claim_id: int, owner: PunchOwner | None, by: Caller) -> PunchClaim:
        """Decide, or decide anew; None makes the punches doubtful. `LookupError` without it."""
        now = self._services.now()

        def unit(tx: Transaction) -> PunchClaim:
            found = tx[ClaimStore].get(claim_id)
            if found is None:
                raise LookupError(Phrase("There are no such punches any more."))
            check_owner_thd(tx, found, owner)
            decide_thd(tx, found, owner, by, now)
            after = tx[ClaimStore].get(claim_id)
            return after or found

        return await self._services.store.write(unit)


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
