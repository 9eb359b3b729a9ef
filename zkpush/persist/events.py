"""Events in the store: an outbox written in the unit of work that made the changes.

Attendance records are not in it. Their own ids ascend in commit order, so readers follow the
records themselves, at no cost to the writer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Select, delete, func, select, update

from ..model import GAP, Event, Page
from ..phrases import in_english
from .buffers import BufferedRows
from .schema import events

if TYPE_CHECKING:
    from .transaction import Transaction


_AREAS = "(areas)"
"""Where the stored data has `Event.areas`; no name of a field looks like it."""


class EventStore(BufferedRows):
    """Events in commit order.

    The events of a group of units are written together at its end, because a transaction that takes
    ids blocks others until it commits.
    """

    table = events
    names = ("kind", "data", "at")
    order = 3

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection
        self._now = tx.now
        super().__init__(tx)

    def add(
        self,
        kind: str,
        data: Mapping[str, object],
        now: int | None = None,
        areas: Collection[str] | None = None,
    ) -> None:
        """Add an event, visible after the commit; `now` (ms) defaults to the time of the store.

        `areas` are those of `Event.areas`.
        """
        at = self._now() if now is None else now
        if areas is not None:
            data = {**data, _AREAS: sorted(areas)}
        self.waiting.append((kind, msgspec.json.encode(data, enc_hook=in_english).decode(), at))

    def page(self, part: Page) -> list[Event]:
        """List events by id."""
        self.flush()
        query = (
            select(events).where(events.c.id > part.after).order_by(events.c.id).limit(part.limit)
        )
        return self._events(query)

    def _events(self, query: Select[Any]) -> list[Event]:
        return [
            _event(row.id, row.kind, msgspec.json.decode(row.data), row.at)
            for row in self._connection.execute(query)
        ]

    def of_kind(self, kind: str, after: int) -> list[Event]:
        """List the events of a kind after an id."""
        self.flush()
        query = select(events).where(events.c.kind == kind, events.c.id > after)
        return self._events(query.order_by(events.c.id))

    def last(self) -> int:
        """Return the id of the last event; 0 if there is none."""
        self.flush()
        return int(self._connection.execute(select(func.max(events.c.id))).scalar_one() or 0)

    def between(self, since: int, until: int) -> tuple[int, int]:
        """Return the first and the last id of the events of a period (ms); 0, 0 if there are none.

        It reads the times of all events.
        """
        self.flush()
        query = select(func.min(events.c.id), func.max(events.c.id)).where(
            events.c.at >= since, events.c.at < until
        )
        first, last = self._connection.execute(query).one()
        return (0, 0) if first is None else (int(first), int(last))

    def forget(self, before: int, limit: int) -> int:
        """Remove up to `limit` of the oldest events from before an instant (ms); return the count.

        The last removed event becomes a `GAP`. A reader that continues from before it learns that
        events are missing, and ids keep ascending.
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


def _event(id: int, kind: str, data: dict[str, Any], at: int) -> Event:
    areas = data.pop(_AREAS, None)
    return Event(
        id=id, kind=kind, data=data, at=at, areas=None if areas is None else frozenset(areas)
    )
