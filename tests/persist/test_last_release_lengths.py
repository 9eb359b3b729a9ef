"""Long tables of the last release are upgraded to their ends, although they are read in parts."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from sqlalchemy import text

from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.model import Page
from zkpush.persist.checking import check_thd
from zkpush.persist.rotation import keys_of_thd

from ..keys import KEY
from .conftest import open_database, opened
from .thawing import frozen_facts, thaw

MANY = 450
"""More rows than migrations read at once of any table but the audit log."""
PUNCH = """
    INSERT INTO attendance (device_id, utc, received_at, pin, time, status, verify, extra, raw)
    VALUES (1, :number, 1, :pin, 'x', 0, 1, :extra, :raw)
"""


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_long_tables_are_upgraded_to_their_ends(empty_url: str) -> None:
    """Every row is sealed, bound or chained, also where there are more than are read at once."""
    thaw(empty_url, "0008")
    database = open_database(empty_url)
    with database.migrating() as connection:
        for number in range(MANY):
            values = {
                "number": number,
                "pin": str(number),
                "extra": f'{{"Column13":"{number}"}}',
                "raw": b"%d" % number,
            }
            connection.execute(text(PUNCH), values)
        for number in range(MANY):
            connection.exec_driver_sql(
                "INSERT INTO attendance_photos (device_id, received_at, name, picture, size) "  # noqa: S608 - a number
                f"SELECT device_id, received_at, '{number}.jpg', picture, size "
                "FROM attendance_photos WHERE id = 1"
            )
        for _ in range(4):
            connection.exec_driver_sql(
                "INSERT INTO audit (at, actor, action, subject, detail) "
                "SELECT at, actor, action, subject, detail FROM audit ORDER BY id"
            )
        rows = connection.exec_driver_sql("SELECT count(*) FROM audit").scalar_one()
    database.close()
    assert rows > 1000
    store = opened(empty_url, KEY)

    def read(tx):
        records = tx[AttendanceStore].page(Page(1000))
        photos = tx[AttendancePhotoStore].page(Page(1000), None, None)
        return (
            records,
            {tx[AttendancePhotoStore].content(photo.id) for photo in photos[2:]},
            len(photos),
        )

    records, pictures, count = await store.read(read)
    await store.stop()
    assert [record.extra for record in records[-MANY:]] == [
        {"Column13": str(number)} for number in range(MANY)
    ]
    first = frozen_facts(empty_url, "0008")["seen"]["content"]["/photos/1/content"]
    assert (pictures, count) == ({base64.b64decode(first)}, MANY + 2)
    database = open_database(empty_url)
    checked = check_thd(database, keys_of_thd(database, database.site).vault, None)
    database.close()
    assert (checked.faults, checked.rows) == ((), rows + 1)
