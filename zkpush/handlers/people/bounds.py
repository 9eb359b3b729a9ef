"""People whom a caller who is limited to areas may name, add and change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from ...manage.errors import ApiError, not_found
from ...manage.limits import (
    TERMINAL,
    Belongs,
    Owner,
    check_areas,
    id_of,
    of_both,
    owned_thd,
    visible_thd,
)
from ...model import DEFAULT_AREA, Caller
from ...persist.limits import AreaLimitStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from .authorship import is_terminal
from .contradictions import ConflictStore
from .model import Conflict, PersonChange
from .persons import PersonStore
from .store import PeopleStore


def areas_of_thd(
    tx: Transaction, caller: Caller, pin: str, areas: Sequence[str] | None
) -> Sequence[str] | None:
    """Return the areas to give a person; None leaves them as they are.

    A limited caller changes nothing about other areas: those of the person stay, and the given ones
    have to be its own. Raises `ApiError` (409) for a person of other areas only, and `ValueError`
    for another area.
    """
    is_known = bool(tx[PeopleStore].known([pin]))
    if caller.areas is None:
        return [DEFAULT_AREA] if areas is None and not is_known else areas
    check_areas(caller, areas or ())
    if not is_known:
        return _first_areas(caller, areas)
    before = tx[PersonStore].areas([pin]).get(pin, [])
    if caller.areas.isdisjoint(before):
        raise ApiError(
            HTTPStatus.CONFLICT,
            Phrase("The user ID %(pin)s is taken; choose another one.", pin=pin),
        )
    return None if areas is None else [*areas, *(one for one in before if one not in caller.areas)]


def area_without_choice(caller: Caller) -> str | None:
    """Return the area of a new person for whom none is named; None if one has to be."""
    if caller.areas is None or DEFAULT_AREA in caller.areas:
        return DEFAULT_AREA
    return next(iter(caller.areas)) if len(caller.areas) == 1 else None


def _first_areas(caller: Caller, areas: Sequence[str] | None) -> Sequence[str]:
    if areas:
        return areas
    first = area_without_choice(caller)
    if first is not None:
        return [first]
    mine = sorted(caller.areas or ())
    raise ValueError(
        Phrase("areas: name at least one of your areas, which are %(mine)s.", mine=", ".join(mine))
    )


def check_removal_thd(tx: Transaction, caller: Caller, pin: str, holders: Sequence[str]) -> None:
    """Raise `ApiError` (404, 409) if a removal would reach people or terminals of other areas.

    `holders` are the terminals that the person is to be deleted from.
    """
    if caller.areas is None:
        return
    if not tx[AreaLimitStore].people([pin], caller.areas):
        raise not_found(Phrase("There is no user %(pin)s.", pin=pin))
    if tx[AreaLimitStore].elsewhere([pin], caller.areas):
        raise ApiError(
            HTTPStatus.CONFLICT,
            Phrase(
                "User %(pin)s is also in other areas. Take the person out of yours: `areas` [] "
                "of PUT users/{pin}.",
                pin=pin,
            ),
        )
    if len(own_terminals_thd(tx, caller, holders)) < len(holders):
        raise ApiError(
            HTTPStatus.CONFLICT,
            Phrase(
                "Terminals of other areas hold user %(pin)s; erase with a token without areas.",
                pin=pin,
            ),
        )


def own_terminals_thd(tx: Transaction, caller: Caller, serials: Collection[str]) -> list[str]:
    """Return those of some terminals that a caller may see, in their order."""
    if caller.areas is None:
        return [*serials]
    mine = owned_thd(tx, [Owner(TERMINAL, sn) for sn in serials], caller.areas)
    return [sn for sn in serials if Owner(TERMINAL, sn) in mine]


def own_conflicts_thd(
    tx: Transaction, ids: Sequence[int], areas: frozenset[str] | None
) -> list[Conflict]:
    """Return the open ones of some conflicts that a caller may see, in their order."""
    store = tx[ConflictStore]
    found = [one for each in ids if (one := store.get(each)) is not None]
    return found if areas is None else visible_thd(tx, found, of_both, areas)


def author_for(caller: Caller, author: str) -> str:
    """Return an author as a caller may see it: no terminal is named to a limited one."""
    return "device" if caller.areas is not None and is_terminal(author) else author


def change_for(caller: Caller, change: PersonChange) -> PersonChange:
    """Leave out the areas in a change that are none of a limited caller."""
    if caller.areas is None or change.field != "areas":
        return change
    old, new = (_own_areas(one, caller.areas) for one in (change.old, change.new))
    return msgspec.structs.replace(change, old=old, new=new)


def _own_areas(text: str | None, areas: Collection[str]) -> str | None:
    return ", ".join(one for one in (text or "").split(", ") if one in areas) or None


def _conflict_owners_thd(tx: Transaction, names: Mapping[str, Any]) -> Collection[Owner]:
    found = tx[ConflictStore].get(int(id_of(names)))
    return () if found is None else of_both(found)


CONFLICT = Belongs(_conflict_owners_thd, "There is no open conflict {id}; it may be settled.")
"""The conflict that a path names."""
