"""Stamps: how far each terminal has uploaded each data type (5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from .buffers import BufferedInserts
from .databases import Insert, insert
from .schema import stamps

if TYPE_CHECKING:
    from .transaction import Transaction

_NAMES = ("device_id", "name", "value")
_ALL_IS_WANTED = ""
"""Stored instead of a stamp until the terminal has been asked to send everything again."""
_REPLACE = (
    "(device_id, name) DO UPDATE SET value = excluded.value "
    f"WHERE stamps.value NOT IN (excluded.value, '{_ALL_IS_WANTED}')"
)
"""Conflict clause; an unchanged stamp costs no write."""


class StampStore(BufferedInserts):
    """How far each terminal has uploaded each data type (5).

    New stamps are buffered, as attendance records are.
    """

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection
        super().__init__(tx)

    def of(self, device_id: int) -> dict[str, str]:
        """Map the tables that a terminal has uploaded to their last stamps."""
        query = select(stamps.c.name, stamps.c.value).where(
            stamps.c.device_id == device_id, stamps.c.value != _ALL_IS_WANTED
        )
        return dict(self._connection.execute(query).all())

    def remember(self, device_id: int, table: str, stamp: str) -> None:
        """Keep the stamp of an upload."""
        self.waiting[device_id, table] = stamp

    def take(self) -> list[Insert]:
        """Take the pending rows in a fixed order, which prevents deadlocks between nodes."""
        if not self.waiting:
            return []
        rows = [(*key, self.waiting[key]) for key in sorted(self.waiting)]
        self.forget_waiting()
        return [Insert(stamps, _NAMES, list(zip(*rows, strict=True)), _REPLACE, idempotent=True)]

    def forget_waiting(self) -> None:
        """Drop the pending rows, because their transaction is rolled back."""
        self.waiting: dict[tuple[int, str], str] = {}

    def reset(self, device_id: int, table: str) -> None:
        """Forget a stamp; ignore new ones until the next handshake asks for everything."""
        self.flush()
        self._connection.execute(
            insert(self._connection, stamps)
            .values(device_id=device_id, name=table, value=_ALL_IS_WANTED)
            .on_conflict_do_update(
                index_elements=[stamps.c.device_id, stamps.c.name],
                set_={"value": _ALL_IS_WANTED},
            )
        )

    def told(self, device_id: int) -> None:
        """Called when a handshake has asked for everything that was reset."""
        self._connection.execute(
            delete(stamps).where(stamps.c.device_id == device_id, stamps.c.value == _ALL_IS_WANTED)
        )
