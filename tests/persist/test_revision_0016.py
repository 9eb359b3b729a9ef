"""A database of revision 0016, with rows in every table, serves on after the upgrade."""

from __future__ import annotations

import pathlib

import pytest_twisted

from ..rig import Rig
from .conftest import open_database
from .test_migrations import contents, differences
from .thawing import thaw

REVISION = "0016"
EMPTY = {"sqlite": {"pictures", "unfinished"}, "postgresql": {"unfinished"}}
"""Tables without rows: pictures are files beside a SQLite database, and what is to be done after a
commit is done before the next one."""
CHANGED = {
    ("attendance", "doubt"),
    ("attendance_photos", "doubt"),
    ("operations", "doubt"),
    ("devices", "timezone"),
    ("devices", "problems"),
}
"""The values that the upgrade has a reason to change: nobody had chosen a zone (0020)."""


@pytest_twisted.ensureDeferred
async def test_every_table_keeps_its_rows(empty_url: str, tmp_path: pathlib.Path) -> None:
    """Each row is there with its values, the schema is the present one, and people see the data."""
    thaw(empty_url, REVISION)
    database = open_database(empty_url)
    with database.engine.connect() as connection:
        before = contents(connection)
    database.close()
    empty = {table for table, rows in before.items() if not rows}
    assert empty == EMPTY[empty_url.partition(":")[0]]

    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    rig = Rig(folder, database=empty_url)
    await rig.start()
    assert [one["pin"] for one in await rig.items("/attendance")] == ["7", "8", "7", "9"]
    users = {one["pin"]: one["name"] for one in await rig.items("/users")}
    assert users == {"7": "Ann", "8": "Ben"}
    assert len(await rig.items("/users/7/templates")) == 1
    assert (await rig.api("GET", "/files/1/content")).body == b"opening hours 8 to 17"
    assert (await rig.api("GET", "/files/2/content")).body.startswith(b"\xff\xd8\xff")
    assert len(await rig.items("/devices/GATE000001/commands")) == 3
    assert [one["name"] for one in await rig.items("/tokens")] == ["hr"]
    await rig.stop()

    database = open_database(empty_url)
    with database.engine.connect() as connection:
        after = contents(connection)
        assert differences(connection) == []
    database.close()
    del before["audit_head"]  # it moves on with the audit log, which is told who has read secrets
    for table, rows in before.items():
        names = {name for name in (rows[0] if rows else {}) if (table, name) not in CHANGED}
        kept = [{name: row[name] for name in names} for row in after[table]]
        for row in rows:
            assert {name: row[name] for name in names} in kept, table
