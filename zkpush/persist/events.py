"""Events in the store: the outbox of what has happened, written in the unit of work that did it.

Attendance records are not in it: their own ids ascend in the order of the commits, too, so that
they are read where they are, and cost their writer nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, func, select, update

from ..model import GAP, Event, Page
from .buffers import BufferedRows
from .schema import events

if TYPE_CHECKING:
    from .transaction import Transaction


class EventStore(BufferedRows):
    """Events, in the order of the commits.

    Those of a group of units are written together at its end: a transaction that takes ids keeps
    others from doing so until its commit.
    """

    table = events
    names = ("kind", "data", "at")
    order = 3

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection
        self._now = tx.now
        super().__init__(tx)

    def add(self, kind: str, data: Mapping[str, object], now: int | None = None) -> None:
        """Tell of something, once the unit of work is committed; `now` is the store's, else."""
        at = self._now() if now is None else now
        self.waiting.append((kind, msgspec.json.encode(data).decode(), at))

    def page(self, part: Page) -> list[Event]:
        """List events by id."""
        self.flush()
        query = (
            select(events).where(events.c.id > part.after).order_by(events.c.id).limit(part.limit)
        )
        return [
            Event(id=row.id, kind=row.kind, data=msgspec.json.decode(row.data), at=row.at)
            for row in self._connection.execute(query)
        ]

    def last(self) -> int:
        """The id of the last event; 0 if there is none."""
        self.flush()
        return int(self._connection.execute(select(func.max(events.c.id))).scalar_one() or 0)

    def forget(self, before: int, limit: int) -> int:
        """Remove the oldest events, up to `limit`, that are older than an instant (ms).

        Returns their number. The last one stays as a `GAP`: a reader that goes on from before it
        learns that events are missing, and ids go on ascending.
        """
        self.flush()
        query = select(events.c.id, events.c.kind, events.c.at).order_by(events.c.id)
        old = []
        for row in self._connection.execute(query.limit(limit + 1)):
            if row.at >= before:
                break
            old.append(row)
        gone = [row for row in old if row.kind != GAP]
        if gone:
            last = old[-1].id
            self._connection.execute(delete(events).where(events.c.id < last))
            self._connection.execute(
                update(events).where(events.c.id == last).values(kind=GAP, data="{}")
            )
        return len(gone)
