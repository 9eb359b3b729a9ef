"""Callers who are limited to areas: what they may reach, decided in one place.

Theory of operation. A token may be limited to areas. It then sees and changes only terminals and
people of these areas, and their records. A route says by which variables of its path it belongs to
an area (`Route.limited`), and a list says to which terminal or person each item belongs
(`ApiList.owner`). A route that says neither is refused to such a token, so that a new route shows
nothing by mistake. Something of another area is answered like something that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from ..interfaces import IStore
from ..persist.limits import AreaLimitStore
from ..persist.transaction import Transaction
from .errors import not_found

R = TypeVar("R")
TERMINAL, PERSON = "sn", "pin"
"""Variables of paths that place a request in an area."""
_WORDS = {TERMINAL: "There is no terminal {}.", PERSON: "There is no user {}."}


class Owner(NamedTuple):
    """The terminal or person that an item belongs to."""

    kind: str
    """`TERMINAL` or `PERSON`."""
    name: str
    """Serial number or user ID."""


def of_device(record: Any) -> Owner:
    """Return the owner of a record of a terminal."""
    return Owner(TERMINAL, record.device)


def of_person(record: Any) -> Owner:
    """Return the owner of a record of a person."""
    return Owner(PERSON, record.pin)


class AreaLimits:
    """Checks requests of limited callers."""

    def __init__(self, store: IStore) -> None:
        self._store = store

    async def check(
        self, limited: Sequence[str], names: Mapping[str, object], areas: Collection[str]
    ) -> None:
        """Raise `ApiError` (404) for a terminal or person of another area."""
        owners = [Owner(kind, str(names[kind])) for kind in limited]
        if not owners:
            return
        mine = await self._store.read(lambda tx: owned_thd(tx, owners, areas))
        for owner in owners:
            if owner not in mine:
                raise not_found(_WORDS[owner.kind].format(owner.name))


def owned_thd(tx: Transaction, owners: Collection[Owner], areas: Collection[str]) -> set[Owner]:
    """Return the terminals and people who belong to one of the areas."""
    store = tx[AreaLimitStore]
    finders: Mapping[str, Callable[[Collection[str], Collection[str]], set[str]]] = {
        TERMINAL: store.terminals,
        PERSON: store.people,
    }
    found = set()
    for kind, find in finders.items():
        names = {owner.name for owner in owners if owner.kind == kind}
        found |= {Owner(kind, name) for name in find(names, areas)} if names else set()
    return found


def visible_thd(
    tx: Transaction,
    records: Sequence[R],
    owner: Callable[[R], Owner],
    areas: Collection[str],
) -> list[R]:
    """Return the records that belong to one of the areas, in their order."""
    owners = [owner(record) for record in records]
    mine = owned_thd(tx, set(owners), areas)
    return [record for record, one in zip(records, owners, strict=True) if one in mine]
