"""What is SQLite's own: files, and how it fails."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import DeferredList

from zkpush.interfaces import StoreError
from zkpush.model import DeviceState
from zkpush.persist import sqlite
from zkpush.persist.devices import DeviceStore
from zkpush.persist.sqlite import SQLiteStores

from ..keys import KEY


@pytest_twisted.async_yield_fixture
async def store(tmp_path: pathlib.Path):
    """A store in a file."""
    store = SQLiteStores().open(f"sqlite:///{tmp_path / 'store.sqlite'}", KEY, reactor)
    store.start()
    yield store
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_commits_of_a_file_are_on_disk(store) -> None:
    """A SQLite file is in WAL mode with synchronous=FULL, and checks foreign keys."""
    names = ("journal_mode", "synchronous", "foreign_keys")

    def pragmas(tx):
        return [tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await store.write(pragmas) == ["wal", 2, 1]
    assert await store.read(pragmas) == ["wal", 2, 1]


@pytest_twisted.ensureDeferred
async def test_no_commit_makes_a_file_to_undo_a_statement(store) -> None:
    """The writer keeps it in memory; what may be large, such as a sort of a reader, is in files."""

    def place(tx):
        return tx.connection.exec_driver_sql("PRAGMA temp_store").scalar()

    assert await store.write(place) == 2
    assert await store.read(place) == 0


def test_a_file_that_is_no_database_is_refused(tmp_path: pathlib.Path) -> None:
    """Opening something else says what is wrong, and leaves it as it is."""
    path = tmp_path / "letter.txt"
    path.write_bytes(b"Dear Ann, this is not a database. " * 40)
    with pytest.raises(StoreError, match="not a database"):
        SQLiteStores().open(f"sqlite:///{path}", KEY, reactor).start()
    assert path.read_bytes().startswith(b"Dear Ann")


def test_a_file_that_cannot_be_made_is_refused(tmp_path: pathlib.Path) -> None:
    """The start says which file it is, and why."""
    path = tmp_path / "nowhere" / "store.sqlite"
    with pytest.raises(StoreError, match=r"nowhere/store\.sqlite: No such file"):
        SQLiteStores().open(f"sqlite:///{path}", KEY, reactor).start()


@pytest.mark.parametrize(
    "url", ["rubbish", "postgresql://user:p@ss@host/name", "postgresql://host:port/name"]
)
def test_a_wrong_url_is_refused(url: str) -> None:
    """A URL that cannot be read is refused before anything is opened, and is not repeated."""
    with pytest.raises(ValueError, match="not a database URL") as refused:
        SQLiteStores().open(url, KEY, reactor)
    assert "ss@" not in str(refused.value)


@pytest_twisted.ensureDeferred
async def test_a_lock_of_another_process_is_waited_for(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Units wait for it, as long as they may; once it is gone, they are stored."""
    monkeypatch.setattr(sqlite, "LOCKED_SECONDS", 0.2)
    path = tmp_path / "store.sqlite"
    store = SQLiteStores().open(f"sqlite:///{path}", KEY, reactor)
    store.start()

    def add(sn):
        return store.write(lambda tx: tx[DeviceStore].add(sn, DeviceState.APPROVED, "UTC", 1))

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outcomes = await DeferredList([add("T1"), add("T2")], consumeErrors=True)
        assert [(done, str(error.value)) for done, error in outcomes] == [
            (False, "the database refused: database is locked")
        ] * 2
        other.execute("COMMIT")
    await add("T3")
    found = await store.read(lambda tx: tx[DeviceStore].changed_since(0)[0])
    assert [device.sn for device in found] == ["T3"]
    await store.stop()


def test_a_start_waits_for_another_one(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turning on the write-ahead log, which does not wait by itself, gives up after a while."""
    monkeypatch.setattr(sqlite, "LOCKED_SECONDS", 0.1)
    path = tmp_path / "store.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE t (a)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="database is locked"):
            SQLiteStores().open(f"sqlite:///{path}", KEY, reactor).start()


@pytest_twisted.ensureDeferred
async def test_a_full_disk_refuses_units_and_loses_none(store) -> None:
    """While there is no room, units fail; those that were stored stay, and later ones are."""

    def add(sn):
        return store.write(lambda tx: tx[DeviceStore].add(sn, DeviceState.APPROVED, "UTC", 1))

    def fill(tx):
        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        tx[DeviceStore].add("T2", DeviceState.APPROVED, "U" * 100_000, 1)

    await add("T1")
    with pytest.raises(StoreError, match="database or disk is full"):
        await store.write(fill)
    await add("T3")
    found = await store.read(lambda tx: tx[DeviceStore].changed_since(0)[0])
    assert [device.sn for device in found] == ["T1", "T3"]


@pytest_twisted.ensureDeferred
async def test_a_transaction_that_sqlite_has_ended_is_not_taken_for_stored(store) -> None:
    """A unit that takes no notice of a rollback fails alone."""

    def careless(tx):
        tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1)
        tx.connection.connection.driver_connection.execute("ROLLBACK")

    units = [careless, lambda tx: tx[DeviceStore].add("T2", DeviceState.APPROVED, "UTC", 1)]
    outcomes = await DeferredList([store.write(unit) for unit in units], consumeErrors=True)
    assert [done for done, _ in outcomes] == [False, True]
    assert "rolled back" in str(outcomes[0][1].value)
    found = await store.read(lambda tx: tx[DeviceStore].changed_since(0)[0])
    assert [device.sn for device in found] == ["T2"]


@pytest_twisted.ensureDeferred
async def test_queries_of_a_file_write_nothing(store) -> None:
    """What a query tries to write is refused."""
    with pytest.raises(StoreError, match="did not answer"):
        await store.read(lambda tx: tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1))
    assert await store.read(lambda tx: tx[DeviceStore].changed_since(0)[0]) == []
