"""Other names of one person at terminals, as operators have decided.

Theory of operation. A terminal that states another name may have another person under the user ID,
or the same person under a wrong name. Only an operator knows. If it is one person, the settled
conflict is marked, and what it has as said by the terminal is no contradiction any more:

- The terminal has no stranger, its templates and photos are the person's, and so are its punches.
- If it states the same name again, this counts as the stored name, and the other values of the
  conflict count as the stored ones. All other values are judged as those of the person.
- A name of which nobody has decided is a conflict again.

In an area that distributes, the terminal is sent the stored name, as with any other difference.
Elsewhere somebody has to correct it at the terminal. The marks are deleted with the person, and
the next holder of the user ID is asked about anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Select, func, select, update

from ...persist.databases import texts
from ...persist.sealed import opened
from .authorship import CARD, NAME, Merged, is_same_name, merge
from .model import PunchClaim
from .personrows import PersonRow, PersonRows
from .schema import conflicts

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

Said = Mapping[str, object]


def is_alike(said: Said, values: Said) -> bool:
    """Whether a terminal states the person of a conflict; `said` are the values of the conflict.

    The name tells people apart; if the conflict has none, the card does.
    """
    if said.get(NAME):
        name = values.get(NAME)
        return bool(name) and is_same_name(str(name), str(said[NAME]))
    return bool(said.get(CARD)) and values.get(CARD) == said[CARD]


class OnePersonStore:
    """Settled conflicts that were about one person."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        self._keys = texts(tx.connection.dialect.name, "keys")

    def mark(self, ids: Collection[int], *, is_one: bool) -> None:
        """Record of conflicts whether they were about one person."""
        self._connection.execute(
            update(conflicts).where(conflicts.c.id.in_([*ids])).values(one_person=is_one)
        )

    def said(
        self, pins: Collection[str], device_id: int | None = None
    ) -> dict[tuple[str, int], list[Said]]:
        """Return what terminals said otherwise of people who are one, the oldest first.

        The keys are user IDs and terminals; `device_id` is the only one of interest.
        """
        query = select(conflicts).where(conflicts.c.one_person.is_(True))
        if device_id is not None:
            query = query.where(conflicts.c.device_id == device_id)
        found: dict[tuple[str, int], list[Said]] = {}
        for row, said in self._found(query, pins):
            found.setdefault((row.pin, row.device_id), []).append(said)
        return found

    def other_names(self, pins: Collection[str]) -> dict[tuple[str, int], str]:
        """Return the decided names that terminals still have for people, by ID and terminal."""
        decided = self.said(pins)
        by_device: dict[int, list[str]] = {}
        for pin, device_id in decided:
            by_device.setdefault(device_id, []).append(pin)
        rows = self._tx[PersonRows]
        words = {device_id: rows.words(device_id, own) for device_id, own in by_device.items()}
        stored = rows.stored(sorted({pin for pin, _ in decided})) if decided else {}
        found: dict[tuple[str, int], str] = {}
        for (pin, device_id), every in decided.items():
            word = words[device_id].get(pin, {})
            name = str(word.get(NAME) or "")
            is_decided = any(NAME in said and is_alike(said, word) for said in every)
            if name and is_decided and pin in stored and stored[pin].value(NAME) != name:
                found[pin, device_id] = name
        return found

    def of_claims(self, claims: Sequence[PunchClaim]) -> dict[int, tuple[bool, list[int]]]:
        """Return what was decided of those whom claims name, by the ID of the claim.

        That is whether it is one person, and the settled conflicts in which the terminal stated
        the name. Claims without any are left out, and those about which a conflict is open.
        """
        query = select(conflicts)
        by_place: dict[tuple[str, int], list[tuple[Any, Said]]] = {}
        for row, said in self._found(query, {one.pin for one in claims}):
            by_place.setdefault((row.pin, row.device_id), []).append((row, said))
        found = {}
        for one in claims:
            about = by_place.get((one.pin, one.device_id), ())
            if any(row.settled_at is None for row, _ in about):
                continue
            word = {NAME: one.name}
            alike = [row for row, said in about if NAME in said and is_alike(said, word)]
            if alike:
                is_one = any(row.one_person for row in alike)
                found[one.id] = is_one, [row.id for row in alike]
        return found

    def reopen(self, ids: Collection[int]) -> None:
        """Open settled conflicts again, one at most for each user ID and terminal."""
        self._connection.execute(
            update(conflicts)
            .where(conflicts.c.id.in_([*ids]))
            .values(settled_at=None, settled_by=None, one_person=None)
        )

    def since(self, ids: Collection[int]) -> int:
        """Return when the first of some conflicts began (ms)."""
        query = select(func.min(conflicts.c.at)).where(conflicts.c.id.in_([*ids]))
        return int(self._connection.execute(query).scalar_one())

    def _found(self, query: Select[Any], pins: Collection[str]) -> list[tuple[Any, Said]]:
        """Return conflicts about people with their values, by id, without damaged ones."""
        if not pins:
            return []
        listed = {"keys": msgspec.json.encode([*pins]).decode()}
        query = query.where(conflicts.c.pin.in_(self._keys)).order_by(conflicts.c.id)
        rows = self._connection.execute(query, listed).all()
        said = [opened(self._vault, conflicts, row._mapping)["said"] for row in rows]
        return [
            (row, msgspec.json.decode(one))
            for row, one in zip(rows, said, strict=True)
            if one is not None
        ]


class PersonMerger:
    """Merges statements of one terminal; what was decided to be one person contradicts nothing."""

    def __init__(self, tx: Transaction, device_id: int, pins: Collection[str], by: str) -> None:
        self._tx = tx
        self._device_id = device_id
        self._pins = pins
        self._by = by
        self._said: Mapping[tuple[str, int], Sequence[Said]] | None = None
        self.names: dict[str, object] = {}
        """Names by which the terminal has people, where these are not the stored ones."""

    def merge(self, pin: str, row: PersonRow, values: Said, word: Said) -> Merged:
        """Merge a statement into the fields of a user; see `authorship.merge`."""
        result = merge(row.fields, values, word, self._by, is_known=row.is_known)
        if NAME not in result.contradicted and CARD not in result.contradicted:
            return result
        for said in self._decided(pin):
            if is_alike(said, values):
                if said.get(NAME):
                    self.names[pin] = values.get(NAME)
                values = _as_stored(said, values, row)
        return merge(row.fields, values, word, self._by, is_known=row.is_known)

    def _decided(self, pin: str) -> Sequence[Said]:
        if self._said is None:  # most statements contradict nothing
            self._said = self._tx[OnePersonStore].said(self._pins, self._device_id)
        return self._said.get((pin, self._device_id), ())


def _as_stored(said: Said, values: Said, row: PersonRow) -> dict[str, object]:
    """Return the values of a statement, with the stored ones for those that were decided."""
    decided = {name for name, value in said.items() if values.get(name) == value}
    if said.get(NAME):
        decided.add(NAME)
    return {name: row.value(name) if name in decided else values[name] for name in values}
