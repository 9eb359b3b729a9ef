"""The outbox of forwarders: pending batches, dead letters, and the last attempts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy import insert as plain_insert

from ...model import Page
from ...persist.databases import insert
from ...persist.paging import part_of
from ...values.forwarding import ForwardedEvent
from .model import Attempt, DeadEvent, DeadLetter, PendingBatch, StoredAttempt
from .schema import forward_attempts, forward_batches, forward_dead

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

KEPT_ATTEMPTS = 200
"""Attempts kept for each forwarder."""
MOST_WORDS = 500
"""Maximum length of a stored reason, in characters."""


class DeliveryQueue:
    """Batches of all forwarders, and what became of them."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def pending(self, forwarder_id: int) -> list[PendingBatch]:
        """Return the batches of a forwarder, in order."""
        query = (
            select(forward_batches)
            .where(forward_batches.c.forwarder_id == forwarder_id)
            .order_by(forward_batches.c.place)
        )
        return [
            PendingBatch(
                place=row.place,
                mark=row.mark,
                made_at=row.made_at,
                events=msgspec.json.decode(row.events, type=tuple[ForwardedEvent, ...]),
                answers=row.answers,
                first_tried_at=row.first_tried_at,
            )
            for row in self._connection.execute(query)
        ]

    def add(self, forwarder_id: int, batches: Iterable[PendingBatch]) -> None:
        """Store batches."""
        rows = [
            {
                "forwarder_id": forwarder_id,
                "place": one.place,
                "mark": one.mark,
                "made_at": one.made_at,
                "count": len(one.events),
                "events": one.encoded or msgspec.json.encode(one.events).decode(),
                "answers": one.answers,
                "first_tried_at": one.first_tried_at,
            }
            for one in batches
        ]
        if rows:
            self._connection.execute(plain_insert(forward_batches), rows)

    def failed(self, forwarder_id: int, batch: PendingBatch) -> None:
        """Store how often, and since when, a batch was refused."""
        self._connection.execute(
            update(forward_batches)
            .where(forward_batches.c.forwarder_id == forwarder_id)
            .where(forward_batches.c.place == batch.place)
            .values(answers=batch.answers, first_tried_at=batch.first_tried_at)
        )

    def remove(self, forwarder_id: int, batches: Iterable[PendingBatch]) -> None:
        """Remove settled batches."""
        marks = [one.mark for one in batches]
        if marks:
            self._connection.execute(
                delete(forward_batches)
                .where(forward_batches.c.forwarder_id == forwarder_id)
                .where(forward_batches.c.mark.in_(marks))
            )

    def park(self, forwarder_id: int, dead: Iterable[DeadEvent], now: int) -> None:
        """Keep events as dead letters."""
        rows = [
            {
                "forwarder_id": forwarder_id,
                "event_id": one.event.id,
                "event": msgspec.json.encode(one.event).decode(),
                "reason": one.reason[:MOST_WORDS],
                "parked_at": now,
            }
            for one in dead
        ]
        if rows:
            statement = insert(self._connection, forward_dead)
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[forward_dead.c.forwarder_id, forward_dead.c.event_id],
                    set_={
                        name: statement.excluded[name] for name in ("event", "reason", "parked_at")
                    },
                ),
                rows,
            )

    def dead(self, part: Page, forwarder_id: int) -> list[DeadLetter]:
        """List dead letters by id."""
        query = select(forward_dead).where(forward_dead.c.forwarder_id == forwarder_id)
        return [
            DeadLetter(
                id=row.id,
                event=msgspec.json.decode(row.event, type=ForwardedEvent),
                reason=row.reason,
                parked_at=row.parked_at,
            )
            for row in self._connection.execute(part_of(query, forward_dead.c.id, part))
        ]

    def last_dead(self, forwarder_id: int) -> int:
        """Return the id of the last dead letter; 0 if there is none."""
        found = self.dead(Page(1, newest_first=True), forwarder_id)
        return found[0].id if found else 0

    def forget_dead(self, letters: Sequence[DeadLetter]) -> None:
        """Remove dead letters."""
        for start in range(0, len(letters), 500):
            ids = [one.id for one in letters[start : start + 500]]
            self._connection.execute(delete(forward_dead).where(forward_dead.c.id.in_(ids)))

    def note(self, forwarder_id: int, attempts: Sequence[Attempt]) -> None:
        """Store attempts, and remove the oldest ones."""
        if not attempts:
            return
        rows: list[dict[str, Any]] = [
            {
                **msgspec.structs.asdict(one),
                "words": one.words[:MOST_WORDS],
                "forwarder_id": forwarder_id,
            }
            for one in attempts[-KEPT_ATTEMPTS:]
        ]
        self._connection.execute(plain_insert(forward_attempts), rows)
        owner, number = forward_attempts.c.forwarder_id, forward_attempts.c.id
        newest = select(number).where(owner == forwarder_id).order_by(number.desc())
        oldest = newest.offset(KEPT_ATTEMPTS).limit(1).scalar_subquery()
        self._connection.execute(
            delete(forward_attempts).where(owner == forwarder_id, number <= oldest)
        )

    def attempts(self, part: Page, forwarder_id: int) -> list[StoredAttempt]:
        """List the last attempts by id."""
        query = select(forward_attempts).where(forward_attempts.c.forwarder_id == forwarder_id)
        names = StoredAttempt.__struct_fields__
        return [
            StoredAttempt(**{name: row._mapping[name] for name in names})
            for row in self._connection.execute(part_of(query, forward_attempts.c.id, part))
        ]

    def size(self, forwarder_id: int) -> int:
        """Count the pending events of a forwarder."""
        query = select(func.coalesce(func.sum(forward_batches.c.count), 0)).where(
            forward_batches.c.forwarder_id == forwarder_id
        )
        return int(self._connection.execute(query).scalar_one())
