"""Erasure of a person: attendance photos, and attendance records if that is wanted."""

from __future__ import annotations

from sqlalchemy import delete, select, tuple_

from ...persist.erasing import PersonErasure
from .ends import PunchEnds
from .lists import last_listed
from .schema import attendance, attendance_photos, punches_of_people, punches_of_terminals

_PART = 500
"""Rows deleted with one statement."""


def erase_person(erasure: PersonErasure) -> int:
    """Remove the photos of a person, and the records if that is asked for."""
    connection, pin = erasure.tx.connection, erasure.pin
    of_person = delete(attendance_photos).where(attendance_photos.c.pin == pin)
    changed = connection.execute(of_person).rowcount
    if not erasure.with_attendance:
        return changed
    listed = select(punches_of_people.c.record_id).where(punches_of_people.c.pin == pin)
    ids = [*connection.execute(listed).scalars()]
    unlisted = select(attendance.c.id).where(
        attendance.c.id > last_listed(connection), attendance.c.pin == pin
    )
    ids += connection.execute(unlisted).scalars()
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
        connection.execute(delete(attendance).where(attendance.c.id.in_(part)))
    connection.execute(delete(punches_of_people).where(punches_of_people.c.pin == pin))
    erasure.tx[PunchEnds].mend(terminals)
    return changed + len(ids)
