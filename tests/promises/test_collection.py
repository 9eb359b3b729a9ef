"""Pictures that nothing names are collected; those that something names never are."""

from __future__ import annotations

import base64
import contextlib
import os
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
import pytest_twisted
from sqlalchemy import LargeBinary, text
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from zkpush.clock import IWallClock
from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.interfaces import INamesPictures, StoreError
from zkpush.manage.collection import EVERY, RUNS, PictureCollection
from zkpush.model import DeviceState, Page
from zkpush.persist import collection
from zkpush.persist.devices import DeviceStore
from zkpush.persist.files import FileStore
from zkpush.persist.leases import LeaseStore
from zkpush.persist.naming import pointers
from zkpush.persist.pictures import FEW_FILES, PictureStore
from zkpush.persist.schema import metadata
from zkpush.persist.store import Store
from zkpush.persist.transaction import TransactionEnded
from zkpush.problems import ProblemCode
from zkpush.protocol.photos import Photo
from zkpush.protocol.times import wall_clock

from ..keys import KEY
from ..persist.conftest import empty_url, open_database, opened, url  # noqa: F401
from ..rig import Rig

FACE = b"\xff\xd8face" * 500
OTHER = b"\xff\xd8other" * 500
DAY = 24 * 3600
LATER = 8 * DAY
"""Seconds after which a picture is old enough."""


class Poison(Exception):
    """A unit of work fails."""


async def unnamed(store: Store, content: bytes) -> str:
    """Leave a picture that nothing names, as a unit of work does that fails after it."""
    digest = ""

    def unit(tx):
        nonlocal digest
        digest = tx[PictureStore].keep(content)
        if tx.database.pictures is not None:
            raise Poison

    with contextlib.suppress(Poison):
        await store.write(unit)
    return digest


async def device_of(store: Store) -> int:
    """A terminal, made once."""

    def unit(tx):
        found = tx[DeviceStore].find("T1")
        return (found or tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1)).id

    return await store.write(unit)


async def add_photo(store: Store, content: bytes, name: str = "1.jpg") -> None:
    """Store an attendance photo."""
    device_id = await device_of(store)
    photo = Photo(name, content)
    await store.write(
        lambda tx: tx[AttendancePhotoStore].add(device_id, photo, wall_clock("UTC"), 1)
    )


async def is_there(store: Store, digest: str) -> bool:
    """Whether a picture can be read."""

    def query(tx) -> bool:
        try:
            tx[PictureStore].get(digest)
        except LookupError:
            return False
        return True

    return await store.read(query)


@implementer(IWallClock)
class DayClock(Clock):
    """A clock whose time of day is the time of its timers."""

    def wall_seconds(self) -> float:
        return self.seconds()


def collecting(store: Store, hooks=(), owner: str = "a", later: int = LATER) -> PictureCollection:
    """A collection to which everything that there is now is old."""
    clock = DayClock()
    clock.rightNow = time.time() + later
    return PictureCollection(store, hooks, clock, owner)


@pytest_twisted.async_yield_fixture
async def make_store(url: str):  # noqa: F811
    """Make stores on one database."""
    stores: list[Store] = []

    def make() -> Store:
        store = opened(url, KEY)
        stores.append(store)
        return store

    yield make
    for store in stores:
        await store.stop()


async def soon(condition: Callable[[], object]) -> None:
    """Wait for what happens on a thread."""
    for _ in range(1000):
        if condition():
            return
        await task.deferLater(reactor, 0.01, lambda: None)
    raise AssertionError("it does not happen")


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_what_nothing_names_goes_within_a_day(make_rig, tmp_path: pathlib.Path) -> None:
    """Leftovers of killed writes go, once they are old; what terminals sent stays."""
    rig: Rig = await make_rig(database=f"sqlite:///{tmp_path / 'z.sqlite'}")
    folder = tmp_path / "z.sqlite-pictures"
    await rig.exchange()
    head = f"PIN=1.jpg\nSN=T1\nsize={len(FACE)}\nCMD=uploadphoto\0".encode()
    assert (await rig.post("cdata?SN=T1&table=ATTPHOTO&Stamp=1", head + FACE)).status == 200
    left = await unnamed(rig.store, OTHER)
    young = await unnamed(rig.store, OTHER * 2)
    part = folder / left[:2] / f"{left}.4711.part"
    part.write_bytes(b"half")
    stranger = folder / left[:2] / "README"
    stranger.write_bytes(b"not ours")
    now = rig.clock.seconds()
    for path in folder.glob("??/*"):
        age = 0 if path.name == young else LATER
        os.utime(path, (now - age, now - age))
    rig.start_jobs()
    try:
        for _ in range(5 * RUNS):  # a busy machine skips some
            if not part.exists() and not (part.parent / left).exists():
                break
            rig.clock.advance(EVERY)
            await task.deferLater(reactor, 0.1, lambda: None)
    finally:
        await rig.stop_jobs()
    assert stranger.exists()
    assert await is_there(rig.store, young)
    (photo,) = await rig.items("/photos")
    content = await rig.api("GET", f"/photos/{photo['id']}/content")
    assert (content.status, content.body) == (200, FACE)
    figures = (await rig.api("GET", "/metrics", prefix="")).body.decode()
    assert 'zkpush_pictures_collected_total{kind="part"} 1.0' in figures
    assert 'zkpush_pictures_collected_total{kind="picture"} 1.0' in figures


def test_every_key_of_a_picture_is_declared() -> None:
    """The declared columns are those that could hold one; a new one has to be added here."""
    assert {f"{column.table.name}.{column.name}" for column in pointers()} == {
        "attendance_photos.picture",
        "person_photos.picture",
        "files.content",
    }
    likely = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name in ("picture", "photo", "content")
        and not isinstance(column.type, LargeBinary)
    }
    assert likely <= {f"{column.table.name}.{column.name}" for column in pointers()}


ATTPHOTO = b"PIN=1.jpg\nSN=T1\nsize=%d\nCMD=uploadphoto\0"
UPLOADS = [
    ("OPERLOG", "USERPIC PIN=7\tFileName=7.jpg\tSize={size}\tContent={content}\n"),
    ("OPERLOG", "BIOPHOTO PIN=7\tType=9\tSize={size}\tContent={content}\n"),
    ("BIOPHOTO", "BIOPHOTO PIN=8\tType=9\tSize={size}\tContent={content}\n"),
]


@pytest_twisted.ensureDeferred
async def test_whatever_is_uploaded_names_what_it_keeps(make_rig, tmp_path: pathlib.Path) -> None:
    """After uploads of every kind of picture, nothing is left to collect, and nothing is lost."""
    rig: Rig = await make_rig(database=f"sqlite:///{tmp_path / 'z.sqlite'}")
    await rig.exchange()
    path = "cdata?SN=T1&table=ATTPHOTO&Stamp=1"
    assert (await rig.post(path, ATTPHOTO % len(FACE) + FACE)).status == 200
    for number, (table, form) in enumerate(UPLOADS, 2):
        content = base64.b64encode(FACE * number).decode()
        body = form.format(size=len(content), content=content).encode()
        assert (await rig.post(f"cdata?SN=T1&table={table}&Stamp={number}", body)).status == 200
    headers = ("Authorization: Bearer rig-token",)
    assert (await rig.api("POST", "/files?name=f", {}, headers=headers)).status == 201
    files = [*(tmp_path / "z.sqlite-pictures").glob("??/*")]
    assert len(files) == 2 + len(UPLOADS)
    assert await collecting(rig.store).collect() == 0
    assert all(path.exists() for path in files)


@pytest_twisted.ensureDeferred
async def test_each_kind_of_name_keeps_a_picture(make_store) -> None:
    """Photos, photos of people and files stay; a picture without a name goes, on each database."""
    store = make_store()
    left = await unnamed(store, OTHER)
    await add_photo(store, FACE)
    stored = await store.write(lambda tx: tx[FileStore].add("fw.bin", FACE * 2, None, 1))
    assert await is_there(store, left)
    assert await collecting(store).collect() == 1
    assert not await is_there(store, left)
    (photo,) = await store.read(lambda tx: tx[AttendancePhotoStore].page(Page(9), None, None))
    assert await store.read(lambda tx: tx[AttendancePhotoStore].content(photo.id)) == FACE
    assert await store.read(lambda tx: tx[FileStore].content(stored)) == FACE * 2
    await store.write(lambda tx: tx[FileStore].remove(stored.id))
    assert await collecting(store).collect() == 1


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_small_pictures_that_come_together_are_collected(make_store) -> None:
    """Those that are rows beside a folder of files, too; the one that is named stays."""
    store = make_store()
    many = [b"picture %d" % number for number in range(2 * FEW_FILES)]
    keys = await store.write(lambda tx: tx[PictureStore].keep_all(many))
    await store.write(lambda tx: tx[FileStore].add("f", many[3], None, 1))
    assert await collecting(store).collect() == len(many) - 1
    there = [content for content in many if await is_there(store, keys[content])]
    assert there == [many[3]]
    assert await collecting(store).collect() == 0


@pytest_twisted.ensureDeferred
async def test_what_was_kept_again_is_young(make_store) -> None:
    """A picture that nothing names gets a new age when it is sent again."""
    store = make_store()
    left = await unnamed(store, OTHER)
    young = collecting(store, later=DAY)
    assert await young.collect() == 0
    folders = [place.path for place in store.places() if place.name == "pictures"]
    if folders:
        os.utime(pathlib.Path(folders[0]) / left[:2] / left, (0, 0))
    else:
        await store.write(lambda tx: tx.connection.execute(text("UPDATE pictures SET kept_at = 0")))
    await unnamed(store, OTHER)
    assert await young.collect() == 0
    assert await is_there(store, left)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("when", ["kept", "named"])
async def test_a_picture_that_is_being_named_survives(make_store, when: str) -> None:
    """Another node collects while a unit of work has kept a picture, and before it commits."""
    one, other = make_store(), make_store()
    left = await unnamed(one, FACE)
    device_id = await device_of(one)
    kept, go_on = threading.Event(), threading.Event()

    def unit(tx):
        assert tx[PictureStore].keep(FACE) == left
        if when == "named":
            tx[AttendancePhotoStore].add(device_id, Photo("1.jpg", FACE), wall_clock("UTC"), 1)
        kept.set()
        assert go_on.wait(20)
        tx[AttendancePhotoStore].add(device_id, Photo("1.jpg", FACE), wall_clock("UTC"), 1)

    naming = one.write(unit)
    await soon(kept.is_set)
    running = other.collect_pictures(left[:2], 2**62, [])
    collected = Deferred.fromCoroutine(running)
    await task.deferLater(reactor, 0.3, lambda: None)
    go_on.set()
    await naming
    assert await collected == []
    (photo,) = await one.read(lambda tx: tx[AttendancePhotoStore].page(Page(9), None, None))
    assert await one.read(lambda tx: tx[AttendancePhotoStore].content(photo.id)) == FACE


@pytest_twisted.ensureDeferred
async def test_a_picture_that_is_named_between_look_and_removal_survives(
    make_store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look is repeated where nobody can name it any more."""
    one, other = make_store(), make_store()
    left = await unnamed(one, FACE)
    device_id = await device_of(one)
    looked, go_on = threading.Event(), threading.Event()
    parts = collection.parts

    def slow(names):
        looked.set()
        assert go_on.wait(20)
        return parts(names)

    monkeypatch.setattr(collection, "parts", slow)
    collected = Deferred.fromCoroutine(other.collect_pictures(left[:2], 2**62, []))
    await soon(looked.is_set)
    photo = Photo("1.jpg", FACE)
    await one.write(lambda tx: tx[AttendancePhotoStore].add(device_id, photo, wall_clock("UTC"), 1))
    go_on.set()
    assert await collected == []
    assert await is_there(one, left)


@pytest_twisted.ensureDeferred
async def test_a_name_that_is_being_removed_keeps_its_picture(make_store) -> None:
    """A row whose deletion is not committed counts: the deletion may be rolled back."""
    one, other = make_store(), make_store()
    await add_photo(one, FACE)
    digest = await one.write(lambda tx: tx[PictureStore].keep(FACE))
    begun, go_on = threading.Event(), threading.Event()

    def unit(tx):
        tx.connection.execute(text("DELETE FROM attendance_photos"))
        begun.set()
        assert go_on.wait(20)
        raise Poison

    deleting = one.write(unit)
    deleting.addErrback(lambda failure: failure.trap(Poison))
    await soon(begun.is_set)
    collected = Deferred.fromCoroutine(other.collect_pictures(digest[:2], 2**62, []))
    await task.deferLater(reactor, 0.3, lambda: None)
    go_on.set()
    await deleting
    assert await collected == []
    (photo,) = await one.read(lambda tx: tx[AttendancePhotoStore].page(Page(9), None, None))
    assert await one.read(lambda tx: tx[AttendancePhotoStore].content(photo.id)) == FACE


@pytest_twisted.ensureDeferred
async def test_one_node_collects(make_store) -> None:
    """While one holds the lease, another one leaves the pictures alone."""
    one, other = make_store(), make_store()
    await unnamed(one, FACE)
    first, second = collecting(one, owner="a"), collecting(other, owner="b")
    await one.write(lambda tx: tx[LeaseStore].hold("pictures", "a", 2**60, 0))
    assert await second.collect() == 0
    assert await first.collect() == 1


@implementer(INamesPictures)
class Visitors:
    """A plugin whose table names pictures in JSON."""

    name = "visitors"
    named: frozenset[str] = frozenset()

    def prepare(self, tx) -> None:
        """Nothing to make."""

    def pictures_named(self, tx, keys):
        """Those that it was told."""
        return self.named & keys


@pytest_twisted.ensureDeferred
async def test_what_a_plugin_names_stays(url: str) -> None:  # noqa: F811
    """What it says is believed; while it is missing nothing is removed, and that is a problem."""
    plugin = Visitors()
    store = Store(lambda: open_database(url, KEY), reactor)
    store.start([plugin])
    named = await unnamed(store, FACE)
    left = await unnamed(store, OTHER)
    plugin.named = frozenset([named])
    without = collecting(store)
    assert await without.collect() == 0
    assert [problem.code for problem in without.problems()] == [ProblemCode.PICTURES_STAY]
    assert "visitors" in next(iter(without.problems())).detail
    assert await collecting(store, [plugin]).collect() == 1
    assert (await is_there(store, named), await is_there(store, left)) == (True, False)
    await store.stop()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("fault", ["raises", "commits", "begins another"])
async def test_a_plugin_that_fails_removes_nothing(make_store, fault: str) -> None:
    """One that raises, or ends the transaction that holds the locks."""
    store = make_store()
    left = await unnamed(store, FACE)
    is_sqlite = bool(store.places())

    class Bad(Visitors):
        def pictures_named(self, tx, keys):
            if fault == "raises":
                raise Poison
            if fault == "commits":
                tx.connection.commit()
            else:
                # Below SQLAlchemy, and as if nothing had been: only a proof shows it.
                driver = tx.connection.connection.driver_connection
                driver.rollback()
                driver.execute("BEGIN IMMEDIATE" if is_sqlite else "SELECT 1")
            return []

    with pytest.raises((Poison, StoreError, TransactionEnded)):
        await collecting(store, [Bad()]).collect()
    assert await is_there(store, left)


@pytest_twisted.ensureDeferred
async def test_keys_in_tables_of_plugins_stay(make_store) -> None:
    """Also of a plugin that says nothing, and of one that is gone: as text, and as bytes."""
    store = make_store()
    keys = [await unnamed(store, FACE * number) for number in (1, 2, 3, 4)]
    blob = "BLOB" if store.places() else "BYTEA"

    def unit(tx):
        execute = tx.connection.execute
        execute(text(f"CREATE TABLE visits (id INTEGER, face TEXT, seen {blob})"))
        rows = [(keys[0], b""), ("x", bytes.fromhex(keys[1])), ("y", keys[2].encode())]
        for face, seen in rows:
            row = {"face": face, "seen": seen}
            execute(text("INSERT INTO visits VALUES (1, :face, :seen)"), row)

    await store.write(unit)
    assert await collecting(store).collect() == 1
    assert [await is_there(store, key) for key in keys] == [True, True, True, False]


KILLED = """
import os, signal, sys
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from tests.keys import KEY
from tests.persist.conftest import opened
url, step, when = sys.argv[1], int(sys.argv[2]), sys.argv[3]
real, count = os.unlink, 0

def unlink(path, *more, **named):
    global count
    count += 1
    if count == step and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, *more, **named)
    if count == step:
        os.kill(os.getpid(), signal.SIGKILL)

os.unlink = unlink
store = opened(url, KEY)

async def work():
    for number in range(256):
        await store.collect_pictures(f"{number:02x}", 2**62, [])

def ended(result):
    print(result)
    reactor.stop()

reactor.callWhenRunning(lambda: Deferred.fromCoroutine(work()).addBoth(ended))
reactor.run()
"""


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest_twisted.ensureDeferred
async def test_killed_at_any_step_it_loses_nothing(tmp_path: pathlib.Path) -> None:
    """SIGKILL before and after each removal: what is named can be read, and the rest goes later."""
    place = f"sqlite:///{tmp_path / 'z.sqlite'}"
    store = opened(place, KEY)
    for number in range(1, 4):
        await add_photo(store, FACE * number, f"{number}.jpg")
    for number in range(1, 7):
        await unnamed(store, OTHER * number)
    await store.stop()
    for step, when in ((1, "before"), (2, "before"), (1, "after"), (2, "after")):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, place, str(step), when],
            cwd=pathlib.Path(__file__).parents[2],
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert ended.returncode == -9, ended
    store = opened(place, KEY)
    photos = await store.read(lambda tx: tx[AttendancePhotoStore].page(Page(9), None, None))
    contents = [
        await store.read(lambda tx, i=one.id: tx[AttendancePhotoStore].content(i)) for one in photos
    ]
    assert contents == [FACE, FACE * 2, FACE * 3]
    left = len([*(tmp_path / "z.sqlite-pictures").glob("??/*")]) - 3
    assert left == 6 - 1 - 1 - 2
    assert await collecting(store).collect() == left
    assert await collecting(store).collect() == 0
    await store.stop()
