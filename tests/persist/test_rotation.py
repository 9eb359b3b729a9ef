"""The keys are rotated: everything reads as before, and the old key opens nothing."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator

import psycopg
import pytest
import pytest_twisted

from zkpush import maintenance
from zkpush.datadir import read_key
from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.handlers.people.arrivals import BRING
from zkpush.handlers.people.store import PeopleStore
from zkpush.interfaces import NotUnsealed, StoreError, WrongKey
from zkpush.maintenance import rotate_key
from zkpush.persist import rotation
from zkpush.persist.audit import AuditStore
from zkpush.persist.commands import CommandStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.migrate import migrate_thd
from zkpush.protocol.photos import Photo

from ..keys import KEY
from .conftest import open_database, opened
from .contract import EVERYTHING, NOW, UTC, add_terminal, command, say

LOSE_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
PEOPLE = 120
PASSWORD = "correct horse"
FACE = b"\xff\xd8\xff" + bytes(range(256)) * 600


class Killed(BaseException):
    """Stands for SIGKILL: nobody catches it."""


def rotate(data: pathlib.Path, url: str, say: Callable[[int, int], object] = lambda *_: None):
    """What `zkpush database rotate-key` does."""
    return rotate_key(data, None, url, say)


async def fill(url: str) -> None:
    """Put secrets of every kind into a database; some tables are a plugin's."""
    store = opened(url, KEY)
    device = await add_terminal(store, "T1")
    people = "".join(
        f"USER PIN={pin}\tPasswd={PASSWORD}\nFP PIN={pin}\tTMP=AAAA\n" for pin in range(PEOPLE)
    )

    def unit(tx) -> None:
        say(device, people)(tx)
        tx[AttendancePhotoStore].add(device.id, Photo("20260105080000-1.jpg", FACE), UTC, NOW)
        tx[CommandStore].add(device.id, command("c1", "PutFile", {"Passwd": PASSWORD}), NOW)
        tx.connection.exec_driver_sql("CREATE TABLE notes (note %s)" % _bytes_type(url))  # noqa: UP031
        driver = tx.connection.connection.driver_connection
        mark = "?" if url.startswith("sqlite") else "%s"
        note = tx.vault.seal(PASSWORD.encode(), b"a note")
        driver.execute(f"INSERT INTO notes VALUES ({mark})", (note,))  # noqa: S608

    await store.write(unit)
    await store.stop()


def _bytes_type(url: str) -> str:
    return "BLOB" if url.startswith("sqlite") else "BYTEA"


async def check(url: str, key: bytes) -> None:
    """Everything that `fill` wrote can be read."""
    store = opened(url, key)

    def read(tx) -> None:
        users = tx[PeopleStore].users(EVERYTHING)
        assert [user.password for user in users] == [PASSWORD] * PEOPLE
        assert tx[PeopleStore].templates("7")[0].template == b"AAAA"
        (photo,) = tx[AttendancePhotoStore].page(EVERYTHING, None, None)
        assert tx[AttendancePhotoStore].content(photo.id) == FACE
        assert tx[CommandStore].get("c1").params == {"Passwd": PASSWORD}
        (note,) = tx.connection.exec_driver_sql("SELECT note FROM notes").scalars()
        assert tx.vault.open(bytes(note), b"a note") == PASSWORD.encode()

    await store.read(read)
    await store.stop()


def marks(url: str, folder: pathlib.Path, key: bytes, mark: bytes) -> Iterator[str]:
    """Where something is that begins as what is sealed under a key does."""
    if url.startswith("sqlite"):
        yield from (
            file.name for file in folder.rglob("*") if file.is_file() and mark in file.read_bytes()
        )


@pytest_twisted.ensureDeferred
async def test_everything_is_sealed_anew(url: str, data: pathlib.Path) -> None:
    """Under a key that is as good as new; the old one opens nothing, and nothing of it is left."""
    await fill(url)
    database = open_database(url)
    before = migrate_thd(database)
    database.close()
    told: list[tuple[int, int]] = []
    rotated = rotate(data, url, lambda done, total: told.append((done, total)))
    key = read_key(data / "key")
    assert key != KEY
    assert (data / "key").stat().st_mode & 0o777 == 0o600
    assert rotated.damaged == 0
    assert told[0] == (0, told[-1][1])
    assert told[-1][0] == told[-1][1] > 2 * PEOPLE
    assert {file.name for file in data.glob("key*")} == {"key"}
    for mark in before.sealing.marks:
        assert [*marks(url, data, key, mark)] == []
    with pytest.raises(WrongKey):
        opened(url, KEY)
    await check(url, key)
    database = open_database(url, key)
    after = migrate_thd(database)
    database.close()
    assert after.index(b"x") == before.index(b"x")
    with pytest.raises(NotUnsealed):
        before.open(after.seal(b"x", b""), b"")
    store = opened(url, key)
    *brought, entry = await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))
    await store.stop()
    assert (entry.action, entry.subject) == ("rotate key", f"key {rotated.name}")
    assert {one.action for one in brought} == {BRING}


STEPS = ["begin_thd", "take", "seal_anew_thd", "some", "most", "finish_thd", "purge", "forget"]
SETTLED = {"begin_thd", "purge", "forget"}
"""Before which nothing is half done: the first commit is not made yet, or the last one is."""


@pytest.mark.long
@pytest.mark.parametrize("step", STEPS)
@pytest_twisted.ensureDeferred
async def test_a_rotation_that_was_killed_goes_on(
    url: str, data: pathlib.Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """At whatever moment: the key that is there opens the database, once it is run again."""
    await fill(url)

    def kill(*_: object) -> None:
        raise Killed

    def die(done: int, total: int) -> None:
        if done > total * (0.9 if step == "most" else 0.2):
            raise Killed

    say = die if step in ("some", "most") else lambda *_: None
    with monkeypatch.context() as patch:
        if step in ("take", "forget"):
            patch.setattr(maintenance.KeyFiles, step, kill)
        elif step == "purge":
            patch.setattr(rotation, "purge_thd", kill)
        elif step.endswith("_thd"):
            patch.setattr(maintenance, step, kill)
        with pytest.raises(Killed):
            rotate(data, url, say)
    there = read_key(data / "key")
    if step in SETTLED:
        await check(url, there)
    else:
        with pytest.raises(StoreError, match="rotate-key"):
            opened(url, there)
    rotate(data, url)
    key = read_key(data / "key")
    assert key != KEY
    assert {file.name for file in data.glob("key*")} == {"key"}
    with pytest.raises(WrongKey):
        opened(url, KEY)
    await check(url, key)


@pytest_twisted.ensureDeferred
async def test_a_new_key_that_is_lost_too_early_costs_nothing(
    url: str, data: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is the key of the database, nothing is sealed under it."""
    await fill(url)

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(maintenance.KeyFiles, "take", kill)
        with pytest.raises(Killed):
            rotate(data, url)
    (data / "key.new").unlink()
    rotate(data, url)
    await check(url, read_key(data / "key"))


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_keys_are_not_rotated_under_a_daemon(url: str, data: pathlib.Path) -> None:
    """Nor does one start meanwhile."""
    await fill(url)
    store = opened(url, KEY)
    await store.read(lambda tx: tx[DeviceStore].page(EVERYTHING))
    with pytest.raises(StoreError, match="a daemon uses the database"):
        rotate(data, url)
    assert read_key(data / "key") == KEY
    await store.stop()

    def start(done: int, total: int) -> None:
        with pytest.raises(StoreError, match="are being rotated"):
            opened(url, KEY)
        raise Killed

    with pytest.raises(Killed):
        rotate(data, url, start)
    rotate(data, url)
    await check(url, read_key(data / "key"))


@pytest_twisted.ensureDeferred
async def test_a_daemon_that_lost_its_connection_does_not_seal_under_an_old_key(
    postgres_url: str, data: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock goes with the connection: when it comes back, it looks at the keys first."""
    await fill(postgres_url)
    store = opened(postgres_url, KEY)
    await add_terminal(store, "T2")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(LOSE_CONNECTIONS)
    rotate(data, postgres_url)
    with pytest.raises(StoreError, match="keys of the database were rotated"):
        await add_terminal(store, "T3")
    with pytest.raises(StoreError, match="keys of the database were rotated"):
        await store.read(lambda tx: tx[DeviceStore].page(EVERYTHING))
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_what_is_damaged_does_not_stop_a_rotation(tmp_path, data: pathlib.Path) -> None:
    """It is counted, and stays as it is; all else is sealed anew."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    await fill(url)
    database = open_database(url)
    with database.engine.begin() as connection:
        (raw,) = connection.exec_driver_sql("SELECT password FROM users WHERE pin = '3'").scalars()
        broken = raw[:40] + bytes(10) + raw[50:]
        connection.exec_driver_sql("UPDATE users SET password = ? WHERE pin = '3'", (broken,))
    database.close()
    (picture,) = (file for file in data.glob("*-pictures/*/*"))
    cut = picture.read_bytes()[:60]
    picture.write_bytes(cut)
    assert rotate(data, url).damaged == 2
    store = opened(url, read_key(data / "key"))
    assert (await store.read(lambda tx: tx[PeopleStore].users(EVERYTHING, "4")))[0].password
    (damaged,) = await store.read(lambda tx: tx[PeopleStore].users(EVERYTHING, "3"))
    assert (damaged.password, damaged.damaged) == (None, ("password",))
    await store.stop()
    assert picture.read_bytes() == cut


@pytest_twisted.ensureDeferred
async def test_a_terminal_with_damaged_options_is_still_served(tmp_path) -> None:
    """It says them again; the others never notice."""
    store = opened(f"sqlite:///{tmp_path / 'store.sqlite'}", KEY)
    for sn in ("T1", "T2"):
        device = await add_terminal(store, sn)
        key = device.id
        await store.write(lambda tx, key=key: tx[DeviceStore].merge_options(key, {"a": "b"}))
    moved = "UPDATE devices SET options = (SELECT options FROM devices WHERE sn = 'T1')"
    await store.write(lambda tx: tx.connection.exec_driver_sql(moved))
    found = await store.read(lambda tx: tx[DeviceStore].page(EVERYTHING))
    assert [(device.sn, device.options) for device in found] == [("T1", {"a": "b"}), ("T2", {})]
    await store.write(lambda tx: tx[DeviceStore].merge_options(2, {"c": "d"}))
    found = await store.read(lambda tx: tx[DeviceStore].page(EVERYTHING))
    assert [device.options for device in found] == [{"a": "b"}, {"c": "d"}]
    await store.stop()


def test_a_database_that_is_not_there_is_not_made(tmp_path, data: pathlib.Path) -> None:
    """Nor one of another version changed."""
    url = f"sqlite:///{tmp_path / 'none.sqlite'}"
    with pytest.raises(StoreError, match="there is no database"):
        rotate(data, url)
    assert {file.name for file in tmp_path.iterdir()} == {"key"}
    (tmp_path / "none.sqlite").touch()
    with pytest.raises(StoreError, match="database upgrade"):
        rotate(data, url)
    with pytest.raises(StoreError, match="no store takes 'other'"):
        rotate(data, "other://x")
