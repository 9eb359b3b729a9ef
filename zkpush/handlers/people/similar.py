"""People who may be meant by a mistyped name or user ID."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from sqlalchemy import select

from ...folding import fold
from ...persist.limits import people_in
from ...phrases import Phrase
from ...protocol.suggestions import meaning_one_of
from .schema import users
from .searching import PersonSearch

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

MOST = 3
"""Maximum number of people who may be meant."""
_CUTOFF = 0.7
_LONGEST = 60


def similar_people_thd(
    tx: Transaction, text: str, areas: frozenset[str] | None
) -> list[tuple[str, str]]:
    """Return user IDs and names of people with a similar name, or with one similar word in it.

    Only names with a word of the same first letter are compared. `areas` are those of a limited
    account.
    """
    wanted = fold(text)[:_LONGEST]
    words: dict[str, list[str]] = {}
    for pin, name in PersonSearch(tx.connection).names():
        for word in {name, *name.split()}:
            if word[:1] == wanted[:1]:
                words.setdefault(word, []).append(pin)
    close = difflib.get_close_matches(wanted, words, MOST, _CUTOFF)
    pins = [*dict.fromkeys(pin for word in close for pin in words[word])]
    query = select(users.c.pin, users.c.name).where(users.c.pin.in_(pins))
    if areas is not None:
        query = query.where(users.c.pin.in_(people_in(areas)))
    names = {row.pin: row.name for row in tx.connection.execute(query)}
    return [(pin, names[pin]) for pin in pins if pin in names][:MOST]


def unknown_person_thd(tx: Transaction, text: str, areas: frozenset[str] | None) -> Phrase:
    """Say that nobody has a name or user ID, and who may be meant."""
    found = similar_people_thd(tx, text, areas)
    given = text[:_LONGEST]
    if not found:
        return Phrase("Nobody has the name or user ID %(given)s.", given=given)
    meant = meaning_one_of([f"{name} ({pin})" for pin, name in found])
    return Phrase("Nobody has the name or user ID %(given)s; %(meant)s", given=given, meant=meant)
