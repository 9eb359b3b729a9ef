"""Erasure of a person: attendance photos, and attendance records if that is wanted."""

from __future__ import annotations

from sqlalchemy import delete, func, select, tuple_

from ...persist.erasing import PersonErasure
from ..people.model import PunchOwner
from ..people.store import ClaimStore
from .conditions import in_spans
from .ends import PunchEnds
from .lists import last_listed
from .schema import attendance, attendance_photos, punches_of_people, punches_of_terminals
from .spans import ids_of

_PART = 500
"""Rows deleted with one statement."""


def erase_person(erasure: PersonErasure) -> int:
    """Remove the photos of a person, and the records if that is asked for.

    Records that are or may be another person's keep their mark.
    """
    connection, pin = erasure.tx.connection, erasure.pin
    photos, of_person = attendance_photos.c, delete(attendance_photos)
    if erasure.spans is not None:
        taken_at = func.coalesce(photos.utc, photos.received_at / 1000)
        of_person = of_person.where(in_spans(taken_at, erasure.spans))
    changed = connection.execute(of_person.where(photos.pin == pin)).rowcount
    if erasure.with_attendance:
        changed += _erase_records(erasure)
    claims = erasure.tx[ClaimStore]
    found = claims.of_people([pin])
    claims.forget([one.id for one in found if not ids_of(erasure.tx, one.span)])
    return changed


def _erase_records(erasure: PersonErasure) -> int:
    """Remove the records of a person; return their number."""
    connection, pin = erasure.tx.connection, erasure.pin
    ids = _records_of(erasure)
    terminals = set[int]()
    for start in range(0, len(ids), _PART):
        part = ids[start : start + _PART]
        query = select(attendance.c.device_id, attendance.c.id).where(attendance.c.id.in_(part))
        places = [(row.device_id, row.id) for row in connection.execute(query)]
        terminals |= {device_id for device_id, _ in places}
        entries = punches_of_terminals
        connection.execute(
            delete(entries).where(tuple_(entries.c.device_id, entries.c.record_id).in_(places))
        )
        listed = (punches_of_people.c.pin == pin) & punches_of_people.c.record_id.in_(part)
        connection.execute(delete(punches_of_people).where(listed))
        connection.execute(delete(attendance).where(attendance.c.id.in_(part)))
    erasure.tx[PunchEnds].mend(terminals)
    return len(ids)


def _records_of(erasure: PersonErasure) -> list[int]:
    """Return the ids of the records of a person.

    Those that are or may be another person's are left out, unless they are asked for.
    """
    connection, pin = erasure.tx.connection, erasure.pin
    spared: set[int] = set()
    if not erasure.with_others:
        for one in erasure.tx[ClaimStore].of_people([pin]):
            if one.owner is not PunchOwner.PERSON:
                spared |= ids_of(erasure.tx, one.span)
    listed = select(punches_of_people.c.record_id).where(punches_of_people.c.pin == pin)
    ids = [*connection.execute(listed).scalars()]
    unlisted = select(attendance.c.id).where(
        attendance.c.id > last_listed(connection), attendance.c.pin == pin
    )
    ids = [one for one in (*ids, *connection.execute(unlisted).scalars()) if one not in spared]
    if erasure.spans is None:
        return ids
    own: list[int] = []
    for start in range(0, len(ids), _PART):
        some = attendance.c.id.in_(ids[start : start + _PART])
        query = select(attendance.c.id).where(some, in_spans(attendance.c.utc, erasure.spans))
        own += connection.execute(query).scalars()
    return own
