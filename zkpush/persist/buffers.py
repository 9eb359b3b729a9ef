"""Buffered inserts: rows of many uploads written with one statement."""

from __future__ import annotations

import abc
from collections.abc import Sized
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import Table

from .databases import Insert

if TYPE_CHECKING:
    from .transaction import Transaction


class BufferedInserts(abc.ABC):
    """Base of stores that buffer rows, which the transaction writes together.

    Rows are written before the next statement of the transaction, or at the end of the group.
    """

    order: ClassVar[int] = 0
    """0: rows are written before the next statement. Above 0: rows are written at the end of the
    group of units, in this order. All processes use the same order, which prevents deadlocks."""
    waiting: Sized
    """The pending rows."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.forget_waiting()

    @abc.abstractmethod
    def forget_waiting(self) -> None:
        """Drop the pending rows, because their transaction is rolled back."""

    @abc.abstractmethod
    def take(self) -> list[Insert]:
        """Take the pending rows as inserts."""

    def flush(self) -> None:
        """Write the pending rows."""
        inserts = self.take()
        if inserts:
            self._tx.insert(*inserts)


class BufferedRows(BufferedInserts):
    """Base of stores that buffer rows in their final form."""

    table: ClassVar[Table]
    names: ClassVar[tuple[str, ...]]
    idempotent: ClassVar[bool] = False
    """Whether writing the same rows twice has no further effect; see `Insert.idempotent`."""

    def take(self) -> list[Insert]:
        """Take the pending rows."""
        if not self.waiting:
            return []
        columns = list(zip(*self.waiting, strict=True))
        self.forget_waiting()
        return [Insert(self.table, self.names, columns, idempotent=self.idempotent)]

    def forget_waiting(self) -> None:
        """Drop the pending rows, because their transaction is rolled back."""
        self.waiting: list[tuple[object, ...]] = []
