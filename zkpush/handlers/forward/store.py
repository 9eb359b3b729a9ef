"""Forwarders in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import RowMapping, Select, delete, func, select, update

from ...model import Page
from ...persist.databases import insert
from ...persist.ending import TerminalEnding
from ...persist.paging import part_of
from ...persist.sealed import opened, sealed
from ...phrases import Phrase
from .ending import with_successor
from .erasing import erase_person
from .model import (
    STATES,
    ForwarderState,
    ForwardRules,
    NewForwarder,
    ReplayRange,
    SigningSecret,
    StoredForwarder,
)
from .schema import forward_batches, forward_dead, forwarders

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

__all__ = ["ForwarderStore", "end_terminal", "erase_person"]
_JSON = frozenset({"events", "rules", "settings", "secrets", "replay"})


class ForwarderStore:
    """Forwarders by id and by name."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection
        self._vault = tx.vault

    def add(self, new: NewForwarder, now: int) -> StoredForwarder | None:
        """Store a forwarder; return None if the name is taken."""
        values = {
            **_encoded(msgspec.structs.asdict(new)),
            "state": ForwarderState.ACTIVE.value,
            "created_at": now,
            # SQLite gives the id of a deleted forwarder to the next one; their revisions differ.
            "revision": now,
        }
        row = self._connection.execute(
            insert(self._connection, forwarders)
            .values(sealed(self._vault, forwarders, values))
            .on_conflict_do_nothing(index_elements=[forwarders.c.name])
            .returning(forwarders)
        ).one_or_none()
        return None if row is None else self._forwarder(row._mapping)

    def get(self, forwarder_id: int) -> StoredForwarder | None:
        """Return a forwarder; None if there is none of that id."""
        found = self._forwarders(select(forwarders).where(forwarders.c.id == forwarder_id))
        return found[0] if found else None

    def page(self, part: Page) -> list[StoredForwarder]:
        """List forwarders by id."""
        return self._forwarders(part_of(select(forwarders), forwarders.c.id, part))

    def revisions(self) -> dict[int, int]:
        """Return the revisions of all forwarders, by id."""
        rows = self._connection.execute(select(forwarders.c.id, forwarders.c.revision))
        return {row.id: row.revision for row in rows}

    def change(self, forwarder_id: int, changed: Mapping[str, Any]) -> StoredForwarder:
        """Change a forwarder from outside its worker; `LookupError` if it was removed."""
        present = self.get(forwarder_id)
        if present is None:
            raise LookupError(
                Phrase("There is no forwarder %(forwarder_id)s.", forwarder_id=forwarder_id)
            )
        bound = {"name": present.name, "kind": present.kind}
        values = sealed(self._vault, forwarders, {**bound, **_encoded(changed)})
        written = {name: values[name] for name in changed}
        self._connection.execute(
            update(forwarders)
            .where(forwarders.c.id == forwarder_id)
            .values({**written, "revision": forwarders.c.revision + 1})
        )
        found = self.get(forwarder_id)
        assert found is not None  # noqa: S101 - in the same transaction
        return found

    def revision(self, forwarder_id: int) -> int | None:
        """Return the revision of a forwarder; None if it was removed."""
        query = select(forwarders.c.revision).where(forwarders.c.id == forwarder_id)
        found: int | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def write(self, forwarder_id: int, changed: Mapping[str, object], delivered: int = 0) -> None:
        """Write the progress of a forwarder, by its own worker; count delivered events."""
        values = {**_encoded(changed), "delivered": forwarders.c.delivered + delivered}
        self._connection.execute(
            update(forwarders).where(forwarders.c.id == forwarder_id).values(values)
        )

    def remove(self, forwarder_id: int) -> StoredForwarder | None:
        """Remove a forwarder and its queue; return it, or None if there is none of that id."""
        present = self.get(forwarder_id)
        self._connection.execute(delete(forwarders).where(forwarders.c.id == forwarder_id))
        return present

    def dead_counts(self) -> dict[int, int]:
        """Count the dead letters of each forwarder that has some."""
        owner = forward_dead.c.forwarder_id
        rows = self._connection.execute(select(owner, func.count()).group_by(owner))
        return {int(row[0]): int(row[1]) for row in rows}

    def queued(self) -> dict[int, tuple[int, str]]:
        """Return the number of pending events of each forwarder, and the first pending event."""
        owner, place = forward_batches.c.forwarder_id, forward_batches.c.place
        sums = select(owner, func.sum(forward_batches.c.count), func.min(place)).group_by(owner)
        return {
            int(row[0]): (int(row[1]), self._first_event(int(row[0]), int(row[2])))
            for row in self._connection.execute(sums).all()
        }

    def _first_event(self, forwarder_id: int, place: int) -> str:
        query = select(forward_batches.c.events).where(
            forward_batches.c.forwarder_id == forwarder_id, forward_batches.c.place == place
        )
        events: list[dict[str, Any]] = msgspec.json.decode(
            self._connection.execute(query).scalar_one()
        )
        return str(events[0]["timestamp"])

    def _forwarders(self, query: Select[Any]) -> list[StoredForwarder]:
        rows: Sequence[Any] = self._connection.execute(query).all()
        return [self._forwarder(row._mapping) for row in rows]

    def _forwarder(self, row: RowMapping) -> StoredForwarder:
        values = opened(self._vault, forwarders, row)
        damaged = tuple(values.pop("damaged", ()))
        return StoredForwarder(
            **{
                **values,
                "state": STATES[values["state"]],
                "events": msgspec.json.decode(values["events"], type=tuple[str, ...]),
                "rules": msgspec.json.decode(values["rules"], type=ForwardRules),
                "settings": msgspec.json.decode(values["settings"] or "{}"),
                "secrets": msgspec.json.decode(
                    values["secrets"] or "[]", type=tuple[SigningSecret, ...]
                ),
                "replay": msgspec.json.decode(values["replay"] or "null", type=ReplayRange | None),
            },
            damaged=damaged,
        )


def _encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Encode the values that are stored as JSON."""
    return {
        name: msgspec.json.encode(value).decode() if name in _JSON else value
        for name, value in values.items()
    }


def end_terminal(ending: TerminalEnding) -> None:
    """Name the successor of a terminal in the rules that name the terminal."""
    if ending.successor is None:
        return
    store, old, new = ending.tx[ForwarderStore], ending.device.sn, ending.successor.sn
    for forwarder_id in store.revisions():
        forwarder = store.get(forwarder_id)
        if forwarder is None:
            continue
        rules = with_successor(forwarder.rules, old, new)
        if rules != forwarder.rules:
            store.change(forwarder_id, {"rules": rules})
