"""Areas that are described, or that distribute people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, Table, select, text

from .schema import KeyText, PlainText, metadata

if TYPE_CHECKING:
    from .transaction import Transaction

areas = Table(
    "areas",
    metadata,
    Column("name", KeyText, primary_key=True),
    Column("description", PlainText()),
    Column("distributes", Boolean(), nullable=False, server_default=text("false")),
)
"""Areas that are described or distribute people. Others exist by their terminals and people."""


class DescribedAreas:
    """Names of the areas that exist without terminals and people."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def names(self) -> frozenset[str]:
        """Return the names."""
        return frozenset(self._connection.execute(select(areas.c.name)).scalars())
