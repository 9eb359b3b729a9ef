"""Erasure of a person from the outbox: pending batches, dead letters, and names of documents.

Punches stay unless they are erased, too. A batch that loses events gets a new id, because its
content is no longer what may have been sent under the old one; the ids of its events stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import select, update

from ...model import Page
from ...persist.erasing import PersonErasure
from ...values.forwarding import ForwardedEvent
from ..attendance.store import AttendanceStore
from .documents import DocumentStore
from .queue import DeliveryQueue
from .reading import record_of
from .schema import forwarders

_RECORD = "rec_"
_PART = 500


def erase_person(erasure: PersonErasure) -> int:
    """Remove the events about a person; return the number of changed rows."""
    everybody = erasure.tx.connection.execute(select(forwarders.c.id)).scalars().all()
    changed = sum(_erase_events(erasure, one) for one in everybody)
    if erasure.with_attendance:
        changed += sum(_erase_documents(erasure, one) for one in everybody)
    return changed


def _erase_events(erasure: PersonErasure, forwarder_id: int) -> int:
    queue = erasure.tx[DeliveryQueue]
    changed = 0
    for batch in queue.pending(forwarder_id):
        about = _about(erasure, batch.events)
        left = [one for one in batch.events if one.id not in about]
        if not about:
            continue
        queue.remove(forwarder_id, [batch])
        if left:
            # The number of events only falls, so this id is new.
            mark = f"{batch.mark}_{len(left)}"
            queue.add(forwarder_id, [msgspec.structs.replace(batch, mark=mark, events=left)])
        changed += 1
    if changed:
        # A worker has read the batches; the engine replaces it.
        erasure.tx.connection.execute(
            update(forwarders)
            .where(forwarders.c.id == forwarder_id)
            .values(revision=forwarders.c.revision + 1)
        )
    after = 0
    while letters := queue.dead(Page(_PART, after), forwarder_id):
        after = letters[-1].id
        about = _about(erasure, [one.event for one in letters])
        gone = [one for one in letters if one.event.id in about]
        queue.forget_dead(gone)
        changed += len(gone)
    return changed


def _about(erasure: PersonErasure, events: Iterable[ForwardedEvent]) -> set[str]:
    """Return the ids of the events to remove.

    The data of a punch may have no user ID, by the rule `fields`; its record has one.
    """
    found = set()
    records: dict[int, list[str]] = {}
    for one in events:
        if (number := record_of(one)) is not None:
            records.setdefault(number, []).append(one.id)
        elif one.data.get("pin") == erasure.pin:
            found.add(one.id)
    if erasure.with_attendance:
        for number in _of_person(erasure, [*records]):
            found.update(records[number])
    return found


def _of_person(erasure: PersonErasure, numbers: Sequence[int]) -> list[int]:
    """Return the ids of the attendance records of the person among some."""
    attendance = erasure.tx[AttendanceStore]
    return [
        punch.id
        for start in range(0, len(numbers), _PART)
        for punch in attendance.of_ids(numbers[start : start + _PART])
        if punch.pin == erasure.pin
    ]


def _erase_documents(erasure: PersonErasure, forwarder_id: int) -> int:
    documents = erasure.tx[DocumentStore]
    removed, after = 0, ""
    while ids := documents.events(forwarder_id, after, _PART):
        after = ids[-1]
        numbers = [int(one.removeprefix(_RECORD)) for one in ids if one.startswith(_RECORD)]
        for number in _of_person(erasure, numbers):
            documents.forget(forwarder_id, f"{_RECORD}{number}")
            removed += 1
    return removed
