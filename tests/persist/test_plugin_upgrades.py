"""Upgrades of the tables of plugins are preceded by a backup, as those of zkpush are."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3

import pytest
import pytest_twisted
from twisted.internet import reactor
from zope.interface import implementer

from zkpush.interfaces import IBringsTables
from zkpush.persist.lineages import migrate_lineage_thd
from zkpush.persist.store import Store

from .conftest import open_database
from .thawing import thaw

FILE = "zkpush.sqlite"
REVISION = """
import sqlalchemy
from alembic import op

revision = "{number:04}"
down_revision = {before!r}

def upgrade():
    {upgrade}
"""
MAKE = 'op.create_table("tours", sqlalchemy.Column("a", sqlalchemy.Integer))'
INSERT = 'op.execute("INSERT INTO tours VALUES (1)")'
CHANGE = 'op.execute("UPDATE tours SET a = a + 1")'
FAIL = f"{CHANGE}; raise KeyError"


@implementer(IBringsTables)
class ToursHandler:
    """A plugin whose migrations are in a folder."""

    name = "tours"

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def add(self, number: int, upgrade: str) -> None:
        """Add a revision."""
        before = f"{number - 1:04}" if number > 1 else None
        text = REVISION.format(number=number, before=before, upgrade=upgrade)
        (self.folder / f"{number:04}_tours.py").write_text(text)

    def prepare(self, tx) -> None:
        """Make the tables, or bring them up to date."""
        migrate_lineage_thd(tx, self.name, self.folder)


@pytest.fixture
def tours(tmp_path: pathlib.Path) -> ToursHandler:
    """A plugin with two revisions."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    handler = ToursHandler(folder)
    handler.add(1, MAKE)
    handler.add(2, INSERT)
    return handler


async def start(folder: pathlib.Path, handler: ToursHandler) -> list[str]:
    """Start and stop the store of a file; returns the names of the plugins that failed."""
    store = Store(lambda: open_database(f"sqlite:///{folder / FILE}"), reactor)
    try:
        store.start([handler])
        return [one.name for one in store.unprepared]
    finally:
        await store.stop()


def copies(folder: pathlib.Path) -> list[str]:
    """The names of the backups, without their times."""
    return sorted(path.name.rpartition("-")[0] for path in folder.glob("*before*"))


def tours_in(path: pathlib.Path) -> list[int]:
    """The rows of the plugin in a file."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT a FROM tours")]


@pytest_twisted.ensureDeferred
async def test_tables_of_a_plugin_are_backed_up_before_their_upgrade(tmp_path, tours) -> None:
    """New tables, and those that are up to date, need no backup."""
    for _ in range(2):
        assert await start(tmp_path, tours) == []
        assert copies(tmp_path) == []
    tours.add(3, CHANGE)
    assert await start(tmp_path, tours) == []
    assert copies(tmp_path) == [f"{FILE}.before-tours-0003"]
    (copy,) = tmp_path.glob("*before*")
    assert (tours_in(copy), tours_in(tmp_path / FILE)) == ([1], [2])
    assert copy.stat().st_mode & 0o777 == 0o600


@pytest_twisted.ensureDeferred
async def test_an_upgrade_of_a_plugin_that_fails_leaves_no_copy(tmp_path, tours) -> None:
    """Its tables stay as they are, and the store starts without it."""
    assert await start(tmp_path, tours) == []
    tours.add(3, FAIL)
    assert await start(tmp_path, tours) == ["tours"]
    assert (copies(tmp_path), tours_in(tmp_path / FILE)) == ([], [1])


@pytest_twisted.ensureDeferred
async def test_tables_of_a_plugin_stay_if_there_is_no_room_for_a_copy(
    tmp_path, tours, monkeypatch
) -> None:
    """As for an upgrade of zkpush, nothing is changed without a backup."""
    assert await start(tmp_path, tours) == []
    tours.add(3, CHANGE)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert await start(tmp_path, tours) == ["tours"]
    assert (copies(tmp_path), tours_in(tmp_path / FILE)) == ([], [1])


@pytest_twisted.ensureDeferred
async def test_one_copy_covers_the_upgrades_of_a_start(tmp_path, tours) -> None:
    """The copy made for an upgrade of zkpush holds the tables of plugins as they were."""
    thaw(f"sqlite:///{tmp_path / FILE}", "0008")
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE version_tours (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO version_tours VALUES ('0002')")
        connection.execute("CREATE TABLE tours (a INTEGER)")
        connection.execute("INSERT INTO tours VALUES (1)")
        connection.commit()
    tours.add(3, CHANGE)
    assert await start(tmp_path, tours) == []
    (copy,) = tmp_path.glob("*before*")
    assert "tours" not in copy.name
    assert (tours_in(copy), tours_in(tmp_path / FILE)) == ([1], [2])
