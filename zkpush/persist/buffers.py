"""Buffered inserts: rows of many uploads that are written with one statement."""

from __future__ import annotations

import abc
from collections.abc import Sized
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import Table

from .databases import Insert

if TYPE_CHECKING:
    from .transaction import Transaction


class BufferedInserts(abc.ABC):
    """A store that buffers rows, for the transaction to write together.

    The rows are written before the next statement of the transaction, or at the end of the group.
    """

    order: ClassVar[int] = 0
    """0: written before the next statement. Above 0: written at the end of the group of units, in
    this order. All processes write in the same order, so that they do not deadlock."""
    waiting: Sized
    """The pending rows."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.forget_waiting()

    @abc.abstractmethod
    def forget_waiting(self) -> None:
        """Drop the pending rows: their transaction is not committed."""

    @abc.abstractmethod
    def take(self) -> list[Insert]:
        """Take the pending rows, as inserts; nothing is pending afterwards."""

    def flush(self) -> None:
        """Write the pending rows."""
        inserts = self.take()
        if inserts:
            self._tx.insert(*inserts)


class BufferedRows(BufferedInserts):
    """A store that buffers rows as they will be written."""

    table: ClassVar[Table]
    names: ClassVar[tuple[str, ...]]
    idempotent: ClassVar[bool] = False
    """Whether writing the same rows again changes nothing; see `Insert.idempotent`."""

    def take(self) -> list[Insert]:
        """Take the pending rows."""
        if not self.waiting:
            return []
        columns = list(zip(*self.waiting, strict=True))
        self.forget_waiting()
        return [Insert(self.table, self.names, columns, idempotent=self.idempotent)]

    def forget_waiting(self) -> None:
        """Drop the pending rows: their transaction is not committed."""
        self.waiting: list[tuple[object, ...]] = []
