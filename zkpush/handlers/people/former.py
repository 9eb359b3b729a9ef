"""People who left: removed from the list, with their names kept for past punches, or erased."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, delete, insert, select

from ...folding import fold
from .schema import removed_people, users

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_HAS_LEFT = removed_people.c.pin.is_not(None)


class Departure(NamedTuple):
    """The removal or the erasure of a person."""

    at: int
    """Milliseconds since the epoch."""
    author: str
    name: str | None
    is_erased: bool


class FormerPeople:
    """User IDs and names of people who left.

    `areas` are those of a limited caller, to whom only those are named who left one of them.
    """

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection
        self._vault = tx.vault

    def departure(self, pin: str, areas: frozenset[str] | None = None) -> Departure | None:
        """Return how a person left; None for one who did not, or whom the caller may not see.

        Of an erased person no area is known, so that a limited caller learns nothing.
        """
        kept = removed_people.c
        query = select(removed_people).where(kept.digest == self._vault.index(pin.encode()))
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        is_erased = row.pin is None
        if areas is not None and (is_erased or not _is_of(row.areas, areas)):
            return None
        return Departure(row.at, row.author, row.name, is_erased)

    def names(self, pins: Collection[str], areas: frozenset[str] | None = None) -> dict[str, str]:
        """Return the names by user ID; people without a stored name are left out."""
        found = self._found(areas, removed_people.c.pin.in_(pins))
        return {pin: name for pin, name in found if name is not None}

    def among(self, pins: Collection[str], areas: frozenset[str] | None = None) -> set[str]:
        """Return which of some user IDs are those of people who left."""
        return {pin for pin, _ in self._found(areas, removed_people.c.pin.in_(pins))}

    def erased(self, pins: Collection[str]) -> list[str]:
        """Return which of some user IDs are those of erased people, sorted."""
        digests = {self._vault.index(pin.encode()): pin for pin in pins}
        kept = removed_people.c
        query = select(kept.digest).where(kept.digest.in_([*digests]), kept.pin.is_(None))
        return sorted(digests[bytes(one)] for one in self._connection.execute(query).scalars())

    def unknown(self, pins: Collection[str]) -> set[str]:
        """Return those of some user IDs that nobody has, and that nobody left or was erased with.

        Who asks makes no difference.
        """
        return self.without_holder(pins)[0]

    def without_holder(self, pins: Collection[str]) -> tuple[set[str], set[str]]:
        """Return which of some user IDs are `unknown`, and which those of erased people."""
        found = select(users.c.pin).where(users.c.pin.in_(pins))
        left = {*pins} - {*self._connection.execute(found).scalars()} if pins else set()
        if not left:
            return left, set()
        digests = {self._vault.index(pin.encode()): pin for pin in left}
        gone = select(removed_people.c.digest, removed_people.c.pin.is_(None))
        gone = gone.where(removed_people.c.digest.in_([*digests]))
        erased = {
            digests[bytes(digest)]: is_erased
            for digest, is_erased in self._connection.execute(gone).all()
        }
        return left - erased.keys(), {pin for pin, is_erased in erased.items() if is_erased}

    def everybody(self) -> dict[str, str | None]:
        """Return the names of all people who left, by user ID."""
        return dict(self._found(None))

    def search(
        self, text: str, limit: int, areas: frozenset[str] | None = None
    ) -> list[tuple[str, str | None]]:
        """Return user IDs and names: the person with this user ID alone, or those with these words.

        Names match in any case and with any accents, user IDs by their beginning.
        """
        exact = [*self._found(areas, removed_people.c.pin == text)]
        if exact:
            return exact
        words = fold(text).split() or [text]
        found = (
            (pin, name)
            for pin, name in self._found(areas)
            if pin.startswith(text) or all(word in fold(name or "") for word in words)
        )
        return sorted(found)[:limit]

    def left(
        self, text: str, areas: frozenset[str] | None = None
    ) -> Iterator[tuple[str, str | None, int]]:
        """Generate user IDs, names and times (ms) of removal, of all or as `search` finds them."""
        words = fold(text).split()
        for row in self._connection.execute(select(removed_people).where(_HAS_LEFT)):
            name = fold(row.name or "")
            is_found = row.pin.startswith(text) or (words and all(word in name for word in words))
            if is_found and (areas is None or _is_of(row.areas, areas)):
                yield row.pin, row.name, row.at

    def replace(self, removal: Mapping[str, object]) -> bool:
        """Record a removal, or an erasure, by its columns; returns whether the person had left."""
        digest = removed_people.c.digest == removal["digest"]
        former = delete(removed_people).where(digest).returning(removed_people.c.pin)
        had_left = self._connection.execute(former).scalar() is not None
        self._connection.execute(insert(removed_people).values(removal))
        return had_left

    def _found(
        self, areas: frozenset[str] | None, *conditions: ColumnElement[bool]
    ) -> Iterator[tuple[str, str | None]]:
        kept = removed_people.c
        query = select(kept.pin, kept.name, kept.areas).where(_HAS_LEFT, *conditions)
        for pin, name, left in self._connection.execute(query).all():
            if areas is None or _is_of(left, areas):
                yield pin, name


def _is_of(left: str | None, areas: frozenset[str]) -> bool:
    """Whether somebody left one of the areas; `left` is the JSON array of those."""
    return not areas.isdisjoint(msgspec.json.decode(left or "[]", type=list[str]))
