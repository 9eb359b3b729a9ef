"""Callers who are limited to areas: what they may reach, decided in one place.

Theory of operation. A token or an account may be limited to areas. It then sees and changes only
terminals and people of these areas, and their records. Every route declares how it is limited:

- by variables of its path, and by what an id in its path belongs to (`Belongs`). These are checked
  before the route runs;
- by itself, which an empty declaration says: a list passes the areas to its query (`Page.areas`);
- not at all: `WholeSite` says in words why it is refused to limited callers.

A route without a declaration is refused as well, and a test fails until it has one. Something of
another area is answered like something that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import attrs

from ..interfaces import IStore
from ..model import DEFAULT_AREA, Caller
from ..persist.commands import CommandStore
from ..persist.limits import AreaLimitStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from .errors import ApiError, not_found

R = TypeVar("R")
TERMINAL, PERSON, AREA = "sn", "pin", "name"
"""Variables of paths that place a request in an area."""
AREA_OF_PAGE = "area"
"""Variable of paths of pages that names an area."""
VARIABLES = (TERMINAL, PERSON, AREA, AREA_OF_PAGE, "id")
"""All variables of paths that place a request in an area."""
_WORDS = {
    TERMINAL: "There is no terminal {}.",
    PERSON: "There is no user {}.",
    AREA: "There is no area {}.",
}
UNDECIDED = "This token is limited to areas, and this path is not; use a token without areas."


class Owner(NamedTuple):
    """The terminal, person or area that an item belongs to."""

    kind: str
    """`TERMINAL`, `PERSON` or `AREA`."""
    name: str
    """Serial number, user ID or name."""

    @property
    def missing(self) -> ApiError:
        """The error for an owner of another area, or one that does not exist."""
        return not_found(_WORDS[self.kind].format(self.name[:40]))


Owners = Owner | Collection[Owner]
"""What an item belongs to; of several owners, all have to be in the areas of the caller."""


@attrs.frozen(eq=False)
class Belongs:
    """What an id in a path belongs to."""

    to_thd: Callable[[Transaction, Mapping[str, Any]], Collection[Owner]]
    """Called with the variables of the path; returns the owners, or none for an unknown id."""
    missing: str
    """What is said of an id of another area, with `{id}` for it."""


def id_of(names: Mapping[str, Any]) -> str:
    """Return the value of the variable `id`, or of that which ends with `_id`."""
    return str(next(value for name, value in names.items() if f"_{name}".endswith("_id")))


def _command_owner_thd(tx: Transaction, names: Mapping[str, Any]) -> Collection[Owner]:
    found = tx[CommandStore].get(id_of(names))
    return () if found is None else (of_device(found),)


COMMAND = Belongs(_command_owner_thd, "There is no command {id}.")
"""The command that the variable `id` names."""


@attrs.frozen
class WholeSite:
    """A route that is refused to limited callers."""

    why: str
    """The reason, as a sentence."""

    @property
    def words(self) -> str:
        """The refusal in words."""
        return f"This token is limited to areas. {self.why}"


Limit = Sequence[str | Belongs] | WholeSite | None
"""How a route is limited: variables of its path and owners of its ids, all of which are checked;
none if the route limits itself. None is undecided, and refused."""


def refusal_of(limit: Limit) -> str | None:
    """Return why limited callers are refused; None if they are not."""
    if limit is None:
        return UNDECIDED
    return limit.words if isinstance(limit, WholeSite) else None


def of_device(record: Any) -> Owner:
    """Return the owner of a record of a terminal."""
    return Owner(TERMINAL, record.device)


def of_person(record: Any) -> Owner:
    """Return the owner of a record of a person."""
    return Owner(PERSON, record.pin)


def of_both(record: Any) -> tuple[Owner, Owner]:
    """Return the owners of a record of a person on a terminal."""
    return of_device(record), of_person(record)


class AreaLimits:
    """Checks requests of limited callers."""

    def __init__(self, store: IStore) -> None:
        self._store = store

    async def check(
        self, limit: Limit, names: Mapping[str, object], areas: Collection[str]
    ) -> None:
        """Raise `ApiError` (404) for a terminal, a person or an id of another area."""
        if limit and not isinstance(limit, WholeSite):
            checks = limit
            await self._store.read(lambda tx: check_thd(tx, checks, names, areas))


def check_thd(
    tx: Transaction,
    limit: Iterable[str | Belongs],
    names: Mapping[str, object],
    areas: Collection[str],
) -> None:
    """Raise `ApiError` (404) for a terminal, a person or an id of another area."""
    for one in limit:
        if isinstance(one, str):
            owner = Owner(AREA if one == AREA_OF_PAGE else one, str(names[one]))
            if not owned_thd(tx, [owner], areas):
                raise owner.missing
        else:
            owners = one.to_thd(tx, names)
            if not owners or owned_thd(tx, owners, areas) != {*owners}:
                raise not_found(one.missing.format(id=id_of(names)[:40]))


def require_thd(tx: Transaction, caller: Caller, *owners: Owner) -> None:
    """Raise `ApiError` (404) for what a limited caller names and is of another area."""
    if caller.areas is not None:
        mine = owned_thd(tx, owners, caller.areas)
        for owner in owners:
            if owner not in mine:
                raise owner.missing


def owned_thd(tx: Transaction, owners: Collection[Owner], areas: Collection[str]) -> set[Owner]:
    """Return the terminals, people and areas that are, or belong to, one of the areas."""
    store = tx[AreaLimitStore]
    finders: Mapping[str, Callable[[Collection[str], Collection[str]], set[str]]] = {
        TERMINAL: store.terminals,
        PERSON: store.people,
        AREA: lambda names, mine: {*names} & {*mine},
    }
    found = set()
    for kind, find in finders.items():
        names = {owner.name for owner in owners if owner.kind == kind}
        found |= {Owner(kind, name) for name in find(names, areas)} if names else set()
    return found


def visible_thd(
    tx: Transaction,
    records: Sequence[R],
    owner: Callable[[R], Owners],
    areas: Collection[str],
) -> list[R]:
    """Return the records that belong to one of the areas, in their order."""
    owners = [_several(owner(record)) for record in records]
    mine = owned_thd(tx, {one for each in owners for one in each}, areas)
    return [record for record, each in zip(records, owners, strict=True) if mine.issuperset(each)]


def _several(owners: Owners) -> Collection[Owner]:
    return (owners,) if isinstance(owners, Owner) else owners


def check_areas(caller: Caller, areas: Iterable[str | None], name: str = "areas") -> None:
    """Raise `ValueError` if a limited caller names another area; None is the default one."""
    if caller.areas is None:
        return
    others = sorted({area or DEFAULT_AREA for area in areas} - caller.areas)
    if others:
        mine = ", ".join(sorted(caller.areas))
        raise ValueError(
            Phrase(
                "%(name)s: %(others)s is not one of your areas, which are %(mine)s.",
                name=name,
                others=repr(others[0][:80]),
                mine=mine,
            )
        )
