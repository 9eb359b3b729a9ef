"""People whose punches are searched for: those of the list, and those who left."""

from __future__ import annotations

from typing import Annotated

import attrs
from msgspec import Meta

from ...model import Page
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ..people.model import PeopleFilter, Spans
from ..people.store import EarlierHolder, EarlierHolders, FormerPeople, PeopleStore

MOST_MATCHES = 20
"""Maximum number of people to choose from."""
PRESENT = 0
"""Number of the present holder of a user ID, in links."""
HolderNumber = Annotated[int, Meta(ge=PRESENT, le=2**63 - 1)]
NO_HOLDER = Phrase("There is no such person.")


@attrs.frozen(kw_only=True)
class PersonMatch:
    """Somebody who may be meant."""

    pin: str
    name: str | None
    has_left: bool = False
    holder: int | None = None
    """Which of the people who have had the user ID; None if there was only one."""


def people_thd(
    tx: Transaction, text: str, areas: frozenset[str] | None, *, with_cards: bool
) -> list[PersonMatch]:
    """Return the person with exactly this user ID alone, or else all found by a text.

    People who left are among them, and those whose user ID somebody else has by now. With
    `with_cards`, the text may be a card number.
    """
    people, former = tx[PeopleStore], tx[FormerPeople]
    wanted = PeopleFilter(text=text, with_cards=with_cards)
    exact = people.users(Page(1, areas=areas), text)
    found = exact or people.search(Page(MOST_MATCHES, areas=areas), wanted)
    divided = tx[EarlierHolders].of({one.pin for one in found}, areas)
    matches = [
        PersonMatch(pin=one.pin, name=one.name, holder=PRESENT if one.pin in divided else None)
        for one in found
    ]
    if not exact:
        left = [
            PersonMatch(pin=pin, name=name, has_left=True)
            for pin, name in former.search(text, MOST_MATCHES, areas)
        ]
        if any(one.pin == text for one in left):
            return left
        earlier = tx[EarlierHolders].search(text, MOST_MATCHES, areas)
        matches = [*matches, *left, *map(_earlier_match, earlier)][:MOST_MATCHES]
    return sorted(matches, key=lambda one: (one.name or "", one.pin, one.holder or 0))


def _earlier_match(one: EarlierHolder) -> PersonMatch:
    return PersonMatch(pin=one.pin, name=one.name, has_left=True, holder=one.id)


def hidden_thd(
    tx: Transaction, pin: str, areas: frozenset[str] | None = None
) -> list[EarlierHolder]:
    """Return the earlier holders of a user ID who are erased, or not to be named to the caller."""
    return [one for one in tx[EarlierHolders].of([pin], areas).get(pin, ()) if one.is_hidden]


def spans_thd(
    tx: Transaction,
    pin: str,
    holder: int,
    areas: frozenset[str] | None = None,
    *,
    with_hidden: bool = False,
) -> Spans | None:
    """Return when the punches under a user ID are those of one holder; None for always.

    `with_hidden` takes also a holder whose name is not shown. `LookupError` if there is no such
    earlier holder, or if the caller may not see it.
    """
    if holder == PRESENT:
        return tx[PeopleStore].holders([pin], areas).present_spans(pin)
    found = tx[EarlierHolders].find(pin, holder, areas)
    if found is None and with_hidden:
        found = next((one for one in hidden_thd(tx, pin, areas) if one.id == holder), None)
    if found is None:
        raise LookupError(NO_HOLDER)
    return ((found.since, found.until),)
