"""The SQL table of visitors, and its queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy

from zkpush.plugin.handler import Transaction, part_of

visitors = sqlalchemy.Table(
    "visitors",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
    sqlalchemy.Column("device", sqlalchemy.Text, nullable=False),
    sqlalchemy.Column("pin", sqlalchemy.Text, nullable=False),
    sqlalchemy.Column("arrived", sqlalchemy.Text, nullable=False),
    sqlalchemy.Column("host", sqlalchemy.Text),
    sqlalchemy.Column("company", sqlalchemy.Text),
)
"""What the migrations make."""


class VisitorStore:
    """The queries of the table; `tx[VisitorStore]` is the store of a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def add(self, sn: str, values: Mapping[str, object]) -> bool:
        """Write a visitor; False for one that is there already, which stays as it is."""
        known = sqlalchemy.select(visitors.c.id).where(
            visitors.c.device == sn,
            visitors.c.pin == values["pin"],
            visitors.c.arrived == values["arrived"],
        )
        if self._connection.execute(known).first() is not None:
            return False
        self._connection.execute(visitors.insert().values(device=sn, **values))
        return True

    def page(self, part: Any, device: str | None) -> Sequence[Any]:
        """List visitors by id, of one terminal or of all."""
        query = sqlalchemy.select(visitors)
        if device is not None:
            query = query.where(visitors.c.device == device)
        return self._connection.execute(part_of(query, visitors.c.id, part)).all()

    def count(self) -> int:
        """The number of visitors."""
        query = sqlalchemy.select(sqlalchemy.func.count()).select_from(visitors)
        return int(self._connection.execute(query).scalar_one())

    def forget(self, before: str) -> int:
        """Delete visitors who arrived before a wall clock time; returns their number."""
        old = sqlalchemy.delete(visitors).where(visitors.c.arrived < before)
        return self._connection.execute(old).rowcount
