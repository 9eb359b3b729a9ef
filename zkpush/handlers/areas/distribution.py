"""Progress of the distribution, in the store: what is compared, and up to which event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, insert, select, update

from ...model import Device
from ...persist.databases import insert as upsert
from ..people.store import PersonSurvey
from .model import DistributionTerminal
from .places import PlaceStore
from .schema import distribution_cursor, distribution_terminals, emptied_terminals

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

ON_ITS_WAY = 2000
"""Milliseconds that a report of counts may be on its way."""
_ROW = 1
"""The row of the cursor."""


class DistributionStore:
    """Progress of the distribution."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def cursor(self) -> int | None:
        """Return the event up to which changes are taken into account; None if none was yet."""
        query = select(distribution_cursor.c.event).where(distribution_cursor.c.id == _ROW)
        found: int | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def advance(self, event: int) -> None:
        """Set the event up to which changes are taken into account."""
        changed = self._connection.execute(
            update(distribution_cursor).where(distribution_cursor.c.id == _ROW).values(event=event)
        ).rowcount
        if not changed:
            self._connection.execute(insert(distribution_cursor).values(id=_ROW, event=event))

    def terminals(self) -> dict[int, DistributionTerminal]:
        """Return all terminals that are compared, by key."""
        rows = self._connection.execute(select(distribution_terminals))
        return {row.device_id: DistributionTerminal(**row._mapping) for row in rows}

    def terminal(self, device_id: int) -> DistributionTerminal | None:
        """Return a terminal that is compared; None if it is not."""
        query = select(distribution_terminals).where(
            distribution_terminals.c.device_id == device_id
        )
        row = self._connection.execute(query).first()
        return None if row is None else DistributionTerminal(**row._mapping)

    def put(self, terminal: DistributionTerminal) -> None:
        """Store a terminal."""
        values: Mapping[str, Any] = msgspec.structs.asdict(terminal)
        changed = self._connection.execute(
            update(distribution_terminals)
            .where(distribution_terminals.c.device_id == terminal.device_id)
            .values(values)
        ).rowcount
        if not changed:
            self._connection.execute(insert(distribution_terminals).values(values))

    def change(self, device_id: int, **values: object) -> None:
        """Change attributes of a terminal."""
        self._connection.execute(
            update(distribution_terminals)
            .where(distribution_terminals.c.device_id == device_id)
            .values(values)
        )

    def compare_again(self, device_id: int, now: int) -> None:
        """Begin the comparison of a terminal anew."""
        self.change(device_id, due_at=now, phase=0, after="")

    def note_emptied(self, device_id: int, now: int) -> None:
        """Record that a terminal has lost its data."""
        statement = upsert(self._connection, emptied_terminals).values(
            device_id=device_id, emptied_at=now
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[emptied_terminals.c.device_id], set_={"emptied_at": now}
            )
        )

    def emptied(self) -> dict[int, int]:
        """Return when terminals last lost their data, by key."""
        rows = self._connection.execute(select(emptied_terminals))
        return {row.device_id: int(row.emptied_at) for row in rows}

    def remove(self, device_id: int) -> None:
        """Compare a terminal no more."""
        self._connection.execute(
            delete(distribution_terminals).where(distribution_terminals.c.device_id == device_id)
        )


def emptied_by_counts(tx: Transaction, device: Device) -> None:
    """Forget what a terminal had before it reported that it has no users.

    It may have stated somebody while the report was on its way.
    """
    counted_at = tx.now() if device.counts_at is None else device.counts_at - ON_ITS_WAY
    forget_terminal(tx, device.id, counted_at)


def forget_terminal(tx: Transaction, device_id: int, emptied_at: int) -> None:
    """Forget what a terminal had when it was emptied, at an instant (ms).

    Who was enrolled there since is compared anew.
    """
    tx[PlaceStore].forget(device_id)
    tx[PersonSurvey].forget_terminal(device_id, emptied_at)
    tx[DistributionStore].note_emptied(device_id, tx.now())
