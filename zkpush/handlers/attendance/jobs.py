"""Jobs that extend what is kept apart of attendance records: lists, and first and last punches."""

from __future__ import annotations

import functools
from typing import Any

from ...interfaces import IStore
from ...periodic import PeriodicService
from ...persist.transaction import Transaction
from ...phrases import Phrase
from . import ends
from .ends import NewEnds, PunchEnds
from .lists import DUE, add_entries, next_extension, set_last_listed

EVERY = 10.0
"""Seconds between checks."""
PART = 1000
"""Entries written in one unit of work, so that uploads do not wait for long."""


class ListExtension(PeriodicService):
    """Extends the lists when enough records are not listed.

    Entries are read, sorted and written in parts. After a crash, or if another node does the same,
    some are written again, without effect.
    """

    def __init__(self, store: IStore, clock: Any, due: int = DUE) -> None:
        """`due` is the number of records by which the lists are extended."""
        super().__init__(clock)
        self._store = store
        self._next = functools.partial(next_extension, due=due)
        self.every(
            EVERY, self.extend, Phrase("Lists of a person or a terminal become slower"), now=True
        )

    async def extend(self) -> None:
        """List all records but the most recent."""
        while (extension := await self._store.read(self._next)) is not None:
            for entries in extension.entries:
                for part in entries.parts(PART):
                    await self._store.write(functools.partial(add_entries, entries=part))
            await self._store.write(functools.partial(set_last_listed, last=extension.last_id))


class EndsExtension(PeriodicService):
    """Takes new records into account for the first and the last punch of each terminal.

    After a crash, or if another node does the same, some are read again, without effect.
    """

    def __init__(self, store: IStore, clock: Any, due: int = ends.DUE) -> None:
        """`due` is the number of new records after which it does so."""
        super().__init__(clock)
        self._store = store
        self._due = due
        trouble = Phrase("The first and the last punch of a terminal are found more slowly")
        self.every(EVERY, self.extend, trouble, now=True)

    async def extend(self) -> None:
        """Read all new records, in parts."""

        def next_thd(tx: Transaction) -> NewEnds | None:
            return tx[PunchEnds].next_ends(self._due)

        while (new := await self._store.read(next_thd)) is not None:
            await self._store.write(functools.partial(_extend_thd, new=new))


def _extend_thd(tx: Transaction, new: NewEnds) -> None:
    tx[PunchEnds].extend(new)
