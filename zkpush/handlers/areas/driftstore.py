"""Drifts of terminals, in the store."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, select, update

from .drift import Drift
from .schema import drifts

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


class DriftStore:
    """Comparisons of terminals with what is recorded about them."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def all(self) -> dict[int, Drift]:
        """Return all drifts by terminal."""
        rows = self._connection.execute(select(drifts))
        return {row.device_id: Drift(**row._mapping) for row in rows}

    def of(self, device_id: int) -> Drift:
        """Return the drift of a terminal; one without differences if none is stored."""
        row = self._connection.execute(
            select(drifts).where(drifts.c.device_id == device_id)
        ).first()
        return Drift(device_id=device_id) if row is None else Drift(**row._mapping)

    def put(self, drift: Drift) -> None:
        """Store a drift."""
        values = msgspec.structs.asdict(drift)
        changed = self._connection.execute(
            update(drifts).where(drifts.c.device_id == drift.device_id).values(values)
        ).rowcount
        if not changed:
            self._connection.execute(insert(drifts).values(values))

    def ask(self, device_id: int, now: int) -> None:
        """Have a terminal asked for its users as soon as nothing else is on its way to it."""
        drift = self.of(device_id)
        if drift.command is None:
            self.put(msgspec.structs.replace(drift, due_at=now, settled=None))

    def remove(self, devices: Collection[int]) -> None:
        """Forget the drifts of terminals."""
        self._connection.execute(delete(drifts).where(drifts.c.device_id.in_(devices)))
