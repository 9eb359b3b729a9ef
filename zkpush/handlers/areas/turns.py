"""Turns of the distribution: at most one process changes anything at a time.

Theory of operation. One process of a database distributes people, by its lease. A process that
was suspended may go on when another one has taken over, with what it had read before. So a turn
begins with the name of its process in the store, and each of its writes locks and compares that
name. As soon as another process has begun a turn, the writes of an earlier one fail.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import select

from ...interfaces import IStore
from ...persist.databases import insert
from ...persist.transaction import Transaction
from .schema import distribution_turn

T = TypeVar("T")
_ROW = 1


class OvertakenTurn(Exception):
    """Another process has begun a turn."""


class DistributionTurns:
    """Reads and writes of the turns of this process."""

    def __init__(self, store: IStore) -> None:
        self._store = store
        self._name = secrets.token_hex(8)

    async def begin(self) -> None:
        """Begin a turn; turns of other processes can write no more."""
        owner = await self._store.read(_owner_thd)
        if owner != self._name:
            await self._store.write(self._take_thd)

    def read(self, query: Callable[[Transaction], T]) -> Awaitable[T]:
        """Read from the store."""
        return self._store.read(query)

    def write(self, unit: Callable[[Transaction], T]) -> Awaitable[T]:
        """Write to the store; raises `OvertakenTurn` if another process has begun a turn."""

        def write_thd(tx: Transaction) -> T:
            query = select(distribution_turn.c.owner).with_for_update()
            if tx.connection.execute(query).scalar_one_or_none() != self._name:
                raise OvertakenTurn
            return unit(tx)

        return self._store.write(write_thd)

    def _take_thd(self, tx: Transaction) -> None:
        statement = insert(tx.connection, distribution_turn).values(id=_ROW, owner=self._name)
        tx.connection.execute(
            statement.on_conflict_do_update(
                index_elements=[distribution_turn.c.id], set_={"owner": self._name}
            )
        )


def _owner_thd(tx: Transaction) -> str | None:
    owner: str | None = tx.connection.execute(
        select(distribution_turn.c.owner)
    ).scalar_one_or_none()
    return owner
