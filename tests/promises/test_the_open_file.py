"""Nothing is acknowledged into a database file that was deleted, moved, replaced or overwritten."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import urllib.error
import urllib.request

import pytest
import pytest_twisted
from twisted.internet import reactor

from zkpush.interfaces import StoreError
from zkpush.model import DeviceState, Page
from zkpush.persist.devices import DeviceStore
from zkpush.persist.sqlite import SQLiteStores, open_sqlite
from zkpush.persist.store import Store

from ..daemon.process import Daemon
from ..keys import KEY
from .starting import refusal

OVERWRITTEN = "zkpush.sqlite was overwritten under the daemon"
LINE = b"%d\t2026-01-05 08:00:00\t0\t1\n"


def health(daemon: Daemon) -> tuple[int, str]:
    """The status of the health check, and what it says."""
    url = f"http://{daemon.manage.hostname}:{daemon.manage.port}/health"
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, str(json.load(error)["reason"])


def upload(daemon: Daemon, pin: int) -> int:
    """Send a record; the status of the reply."""
    status, reply = daemon.upload("T1", LINE % pin)
    assert (status == 200) == (reply == b"OK: 1")
    return status


def stop(daemon: Daemon) -> None:
    """Stop a daemon."""
    daemon.terminate()
    daemon.output()


def test_a_deleted_database_stores_nothing(tmp_path: pathlib.Path) -> None:
    """Uploads get 503, health says why, and the next start is refused until it is restored."""
    data = tmp_path / "data"
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        assert upload(daemon, 1) == 200
        (data / "zkpush.sqlite").unlink()
        assert upload(daemon, 2) == 503
        status, reason = health(daemon)
        assert status == 503
        assert "zkpush.sqlite was removed, moved away or unmounted" in reason
        assert not (data / "zkpush.sqlite").exists()
        stop(daemon)
    assert "there is no database at" in refusal(data)


@pytest.mark.parametrize("what", ["file", "directory"])
def test_service_resumes_when_the_file_is_back(tmp_path: pathlib.Path, what: str) -> None:
    """Moved away and back, alone or with its directory: what was acknowledged is stored."""
    data, place, away = tmp_path / "data", tmp_path / "place", tmp_path / "away"
    place.mkdir()
    database = place / "z.sqlite"
    with Daemon(data, "--database", f"sqlite:///{database}") as daemon:
        daemon.exchange("T1")
        assert upload(daemon, 1) == 200
        moved = database if what == "file" else place
        moved.rename(away)
        assert upload(daemon, 2) == 503
        assert health(daemon)[0] == 503
        away.rename(moved)
        assert upload(daemon, 3) == 200
        assert daemon.pins() == ["1", "3"]
        daemon.kill()
    with Daemon(data, "--database", f"sqlite:///{database}") as daemon:
        assert daemon.pins() == ["1", "3"]
        stop(daemon)


def test_a_replaced_database_asks_for_a_restart(tmp_path: pathlib.Path) -> None:
    """A copy in the place of the file is not written to, and is served after a restart."""
    data = tmp_path / "data"
    database, copy = data / "zkpush.sqlite", tmp_path / "copy"
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        assert upload(daemon, 1) == 200
        stop(daemon)
    shutil.copy(database, copy)
    with Daemon(data) as daemon:
        assert upload(daemon, 2) == 200
        content = copy.read_bytes()
        copy.rename(database)
        assert upload(daemon, 3) == 503
        assert "another file is at" in health(daemon)[1]
        assert "restart the daemon" in health(daemon)[1]
        assert database.read_bytes() == content
        daemon.kill()
    for log in data.glob("zkpush.sqlite-*"):
        if log.is_file():
            log.unlink()
    with Daemon(data) as daemon:
        assert daemon.pins() == ["1"]
        stop(daemon)


def test_an_emptied_database_acknowledges_nothing(tmp_path: pathlib.Path) -> None:
    """The file is still the same one, but what is committed into it would be lost."""
    data = tmp_path / "data"
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        assert upload(daemon, 1) == 200
        os.truncate(data / "zkpush.sqlite", 0)
        assert upload(daemon, 2) == 503
        status, reason = health(daemon)
        assert status == 503
        assert "zkpush.sqlite was emptied under the daemon" in reason
        stop(daemon)


def test_a_deleted_log_is_saved_by_an_orderly_stop(tmp_path: pathlib.Path) -> None:
    """Without its write-ahead log nothing is acknowledged; SIGTERM brings it into the database."""
    data = tmp_path / "data"
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        assert [upload(daemon, pin) for pin in (1, 2)] == [200, 200]
        (data / "zkpush.sqlite-wal").unlink()
        assert [upload(daemon, pin) for pin in (3, 4)] == [503, 503]
        reason = health(daemon)[1]
        assert "write-ahead log" in reason
        assert "SIGTERM" in reason
        stop(daemon)
    with Daemon(data) as daemon:
        assert {"1", "2"} <= set(daemon.pins())
        assert upload(daemon, 3) == 200
        stop(daemon)


def copied(source: pathlib.Path, copy: pathlib.Path, how: str) -> None:
    """Copy a database that no daemon uses."""
    if how == "cp":
        shutil.copyfile(source, copy)
        return
    with contextlib.closing(sqlite3.connect(source)) as old:
        if how == "VACUUM INTO":
            old.execute("VACUUM INTO ?", (str(copy),))
            return
        with contextlib.closing(sqlite3.connect(copy)) as new:
            old.backup(new)


@pytest.mark.long
@pytest.mark.parametrize("how", ["cp", ".backup", "VACUUM INTO"])
def test_a_backup_copied_over_the_running_database(tmp_path: pathlib.Path, how: str) -> None:
    """`cp backup zkpush.sqlite` keeps the inode. Nothing is acknowledged, the stop leaves the
    backup as it is, and the next start serves it."""
    data, backup = tmp_path / "data", tmp_path / "backup"
    database = data / "zkpush.sqlite"
    for pin in (1, 2):
        # Started anew, it runs the migrations: VACUUM moves the pages that these leave.
        with Daemon(data, env={"PYTHONUNBUFFERED": "1"}) as daemon:
            daemon.exchange("T1")
            assert upload(daemon, pin) == 200
            stop(daemon)
        if pin == 1:
            copied(database, backup, how)
    with Daemon(data) as daemon:
        assert upload(daemon, 3) == 200
        shutil.copyfile(backup, database)
        assert [upload(daemon, pin) for pin in (4, 5)] == [503, 503]
        status, reason = health(daemon)
        assert status == 503
        assert OVERWRITTEN in reason
        (problem,) = [
            one for one in daemon.api("GET", "problems")["items"] if one["device"] is None
        ]
        assert problem["code"] == "cannot store"
        assert OVERWRITTEN in problem["detail"]
        stop(daemon)
    assert database.read_bytes() == backup.read_bytes()
    assert (data / "zkpush.sqlite-wal.1").stat().st_size > 0
    with Daemon(data) as daemon:
        assert daemon.pins() == ["1"]
        assert upload(daemon, 6) == 200
        stop(daemon)


def test_the_database_of_another_server_copied_over_the_running_one(
    tmp_path: pathlib.Path,
) -> None:
    """It may be newer in every count: nothing is written to it, and the next start refuses it."""
    data, other = tmp_path / "data", tmp_path / "other"
    for _ in range(2):
        with Daemon(other) as daemon:
            daemon.exchange("T9")
            stop(daemon)
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        assert upload(daemon, 1) == 200
        shutil.copyfile(other / "zkpush.sqlite", data / "zkpush.sqlite")
        assert upload(daemon, 2) == 503
        assert OVERWRITTEN in health(daemon)[1]
        stop(daemon)
    assert (data / "zkpush.sqlite").read_bytes() == (other / "zkpush.sqlite").read_bytes()
    assert "is not the one of" in refusal(data)


@pytest.mark.parametrize("left", [0.0, 0.5])
def test_a_truncated_log_acknowledges_nothing(tmp_path: pathlib.Path, left: float) -> None:
    """Uploads get 503 and health says why; after a restart the database is sound, with what was
    left of the log."""
    data = tmp_path / "data"
    database, log = data / "zkpush.sqlite", data / "zkpush.sqlite-wal"
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        assert upload(daemon, 1) == 200
        stop(daemon)
    with Daemon(data) as daemon:
        assert upload(daemon, 2) == 200
        os.truncate(log, int(log.stat().st_size * left))
        assert [upload(daemon, pin) for pin in (3, 4)] == [503, 503]
        status, reason = health(daemon)
        assert status == 503
        assert "zkpush.sqlite-wal was truncated under the daemon" in reason
        assert "devices resend" in reason
        stop(daemon)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with Daemon(data) as daemon:
        assert {"1"} <= set(daemon.pins()) <= {"1", "2"}
        assert upload(daemon, 5) == 200
        stop(daemon)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA wal_checkpoint(PASSIVE)",
        "PRAGMA wal_checkpoint(RESTART)",
        "VACUUM",
        "CREATE TABLE another_program (id)",
    ],
)
async def test_other_programs_may_use_the_database(tmp_path: pathlib.Path, statement: str) -> None:
    """Service goes on after whatever they do through SQLite, but for cutting the log."""
    path = tmp_path / "store.sqlite"
    store = SQLiteStores().open(f"sqlite:///{path}", KEY, reactor)
    store.start()
    for number in range(20):
        sn = f"T{number}"
        await store.write(lambda tx, sn=sn: tx[DeviceStore].add(sn, DeviceState.APPROVED, "UTC", 1))
        if number % 3 == 0:
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.execute(statement.replace("another", f"another_{number}"))
    assert len(await store.read(lambda tx: tx[DeviceStore].page(Page(100)))) == 20
    await store.stop()
    assert not path.with_name(f"{path.name}-wal").exists()


@pytest_twisted.ensureDeferred
async def test_a_log_without_anything_in_it_is_none_that_was_truncated(
    tmp_path: pathlib.Path,
) -> None:
    """The first units after a start may write nothing, and those after a new connection."""
    path = tmp_path / "store.sqlite"
    database = open_sqlite(f"sqlite:///{path}", KEY)
    store = Store(lambda: database, reactor)
    store.start()
    database.readers.dispose()
    for number in range(3):
        await store.write(lambda tx: None)
        await store.write(lambda tx: tx[DeviceStore].find("T1"))
        sn = f"T{number}"
        await store.write(lambda tx, sn=sn: tx[DeviceStore].add(sn, DeviceState.APPROVED, "UTC", 1))
        store.writer.disconnect_thd()
    await store.stop()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("what", "said"), [("", "was emptied"), ("-wal", "write-ahead log .* was truncated")]
)
async def test_a_file_cut_while_it_is_written_acknowledges_nothing(
    tmp_path: pathlib.Path, what: str, said: str
) -> None:
    """Between the begin and the end of a commit, too; the stop does not make it worse."""
    path = tmp_path / "store.sqlite"
    store = SQLiteStores().open(f"sqlite:///{path}", KEY, reactor)
    store.start()
    await store.write(lambda tx: tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1))

    def unit(tx) -> None:
        tx[DeviceStore].add("T2", DeviceState.APPROVED, "UTC", 1)
        os.truncate(f"{path}{what}", 0)

    before = path.read_bytes()
    for again in (unit, lambda tx: None):
        with pytest.raises(StoreError, match=said):
            await store.write(again)
    await store.stop()
    assert path.read_bytes() == (b"" if what == "" else before)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("gone", "replaced", "said"),
    [
        ("", False, "was removed"),
        ("", True, "another file is at"),
        ("-wal", False, "write-ahead log .* was removed or replaced"),
        ("-wal", True, "write-ahead log .* was removed or replaced"),
    ],
)
async def test_a_file_lost_while_it_is_written_acknowledges_nothing(
    tmp_path: pathlib.Path, gone: str, replaced: bool, said: str
) -> None:
    """Between the begin and the end of a commit, too: all units of the group fail, and none runs
    twice."""
    path = tmp_path / "store.sqlite"
    store = SQLiteStores().open(f"sqlite:///{path}", KEY, reactor)
    store.start()
    await store.write(lambda tx: tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1))
    ran = []

    def unit(tx) -> None:
        ran.append(1)
        tx[DeviceStore].add("T2", DeviceState.APPROVED, "UTC", 1)
        file = pathlib.Path(f"{path}{gone}")
        file.rename(tmp_path / "away")
        if replaced:
            shutil.copy(tmp_path / "away", file)

    with pytest.raises(StoreError, match=said):
        await store.write(unit)
    with pytest.raises(StoreError, match=said):
        await store.write(lambda tx: None)
    assert ran == [1]
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_readers_do_not_make_a_database(tmp_path: pathlib.Path) -> None:
    """A connection that is opened later finds the file that is open, or fails."""
    path = tmp_path / "store.sqlite"
    database = open_sqlite(f"sqlite:///{path}", KEY)
    store = Store(lambda: database, reactor)
    store.start()
    database.readers.dispose()
    path.rename(tmp_path / "away")
    with pytest.raises(StoreError):
        await store.read(lambda tx: tx[DeviceStore].page(Page(9)))
    assert not path.exists()
    shutil.copy(tmp_path / "away", path)
    with pytest.raises(StoreError, match="another file is at"):
        await store.read(lambda tx: tx[DeviceStore].page(Page(9)))
    path.unlink()
    (tmp_path / "away").rename(path)
    assert await store.read(lambda tx: tx[DeviceStore].page(Page(9))) == []
    await store.stop()
