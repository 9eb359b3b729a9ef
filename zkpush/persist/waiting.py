"""What waits to be written together, with one statement for the uploads of many."""

from __future__ import annotations

import abc
from collections.abc import Sized
from typing import Any, ClassVar

from sqlalchemy import Table

from .databases import Database, Insert


class BufferedInserts(abc.ABC):
    """Rows of one table that wait until something is read, or is to be committed."""

    is_repeatable: ClassVar[bool] = False
    """Whether rows that are there already change nothing."""
    _waiting: Sized

    def __init__(self, database: Database, driver: Any) -> None:
        self._database = database
        self._driver = driver
        self.forget_waiting()

    @abc.abstractmethod
    def forget_waiting(self) -> None:
        """Drop what waits: its transaction is not committed."""

    @abc.abstractmethod
    def take(self) -> list[Insert]:
        """Take the pending rows, as inserts; nothing is pending afterwards."""

    @property
    def waits(self) -> bool:
        """Whether anything does."""
        return bool(self._waiting)

    def flush(self) -> None:
        """Write what waits."""
        inserts = self.take()
        if inserts:
            self._database.insert(self._driver, *inserts)


class BufferedRows(BufferedInserts):
    """Rows that wait as they will be written."""

    table: ClassVar[Table]
    names: ClassVar[tuple[str, ...]]

    def take(self) -> list[Insert]:
        """Take the pending rows."""
        if not self._waiting:
            return []
        columns = list(zip(*self._waiting, strict=True))
        self.forget_waiting()
        return [Insert(self.table, self.names, columns)]

    def forget_waiting(self) -> None:
        """Drop what waits: its transaction is not committed."""
        self._waiting: list[tuple[object, ...]] = []
