"""Pictures beside a SQLite file: whole and on disk before they are named, and nobody else's."""

from __future__ import annotations

import errno
import os
import pathlib

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import DeferredList

from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.interfaces import StoreError
from zkpush.model import DeviceState, Page
from zkpush.persist.devices import DeviceStore
from zkpush.persist.pictures import PictureStore
from zkpush.persist.sqlite import SQLiteStores
from zkpush.persist.vault import HEAD_BYTES
from zkpush.protocol.photos import Photo
from zkpush.protocol.times import wall_clock

from ..keys import KEY

FACE = b"\xff\xd8\xffface" * 100
SEALED_BYTES = HEAD_BYTES + len(FACE) + 16


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Where the pictures are."""
    return tmp_path / "store.sqlite-pictures"


@pytest_twisted.async_yield_fixture
async def store(tmp_path: pathlib.Path):
    """A store in a file."""
    store = SQLiteStores().open(f"sqlite:///{tmp_path / 'store.sqlite'}", KEY, reactor)
    store.start()
    yield store
    await store.stop()


@pytest_twisted.async_yield_fixture
async def digest(store):
    """What one picture is called."""
    yield await digest_of(store, FACE)


@pytest.fixture
def place(folder: pathlib.Path, digest: str) -> pathlib.Path:
    """Where it is."""
    return folder / digest[:2] / digest


def digest_of(store, content: bytes):
    """What a picture is called."""
    return store.read(lambda tx: tx.vault.index(content).hex())


def picture(store, digest: str):
    """What a picture is, from the store."""
    return store.read(lambda tx: tx[PictureStore].get(digest))


@pytest_twisted.async_yield_fixture
async def device(store):
    """A terminal."""
    yield await store.write(lambda tx: tx[DeviceStore].add("T1", DeviceState.APPROVED, "UTC", 1))


def add(store, device, pin: int, content: bytes | None = None):
    """Store a photo."""
    photo = Photo(f"20260105080000-{pin}.jpg", b"%d" % pin if content is None else content)
    return store.write(
        lambda tx: tx[AttendancePhotoStore].add(device.id, photo, wall_clock("UTC"), 1)
    )


def pins(tx) -> list[str]:
    """A query for the users of all photos."""
    return [photo.pin for photo in tx[AttendancePhotoStore].page(Page(99), None, None)]


def files(folder: pathlib.Path) -> list[str]:
    """The names of all files in a folder."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


class Disk:
    """Stands for `os.fsync`: tells what was brought to the disk, and fails if told to."""

    def __init__(self, fails=lambda path: False) -> None:
        self.synced: list[tuple[str, int]] = []
        self.fails = fails
        self._fsync = os.fsync

    def __call__(self, descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if self.fails(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        self._fsync(descriptor)
        there = pathlib.Path(path)
        self.synced.append(
            (path, len([*there.iterdir()]) if there.is_dir() else there.stat().st_size)
        )


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """The disk, as the store sees it."""
    disk = Disk()
    monkeypatch.setattr("os.fsync", disk)
    return disk


@pytest_twisted.ensureDeferred
async def test_a_picture_is_a_file_for_its_owner_only(store, folder, place, digest) -> None:
    """Whatever the umask of the process is, and once."""
    before = os.umask(0)
    try:
        for _ in range(2):
            assert await store.write(lambda tx: tx[PictureStore].keep(FACE)) == digest
    finally:
        os.umask(before)
    assert await picture(store, digest) == FACE
    assert b"face" not in place.read_bytes()
    assert files(folder) == [digest]
    assert place.stat().st_mode & 0o777 == 0o600
    assert {path.stat().st_mode & 0o777 for path in (folder, place.parent)} == {0o700}

    def rows(tx):
        return tx.connection.exec_driver_sql("SELECT count(*) FROM pictures").scalar()

    assert await store.read(rows) == 0


@pytest.mark.parametrize("size", [100, 20_000, 500_000])
@pytest_twisted.ensureDeferred
async def test_a_sealed_picture_is_about_as_long_as_the_picture(store, folder, size: int) -> None:
    """Its size is no secret: the file has up to 1 % and 200 bytes more."""
    content = FACE[:3] + bytes(size - 3)
    digest = await store.write(lambda tx: tx[PictureStore].keep(content))
    (file,) = folder.rglob(digest)
    assert size < file.stat().st_size <= size + size // 100 + 200


@pytest_twisted.ensureDeferred
async def test_a_picture_is_on_disk_before_its_row_is(disk, store, folder, place) -> None:
    """The whole file, then its name; and the names of the folders that were made for it."""
    synced = await store.write(lambda tx: (tx[PictureStore].keep(FACE), [*disk.synced])[1])
    paths = [path for path, _ in synced]
    assert paths[:2] == [str(folder.parent), str(folder)]
    (partial, size), (last, names) = synced[2:]
    assert (pathlib.Path(partial).parent, size) == (place.parent, SEALED_BYTES)
    assert pathlib.Path(partial) != place
    assert (last, names) == (str(place.parent), 1)
    assert place.exists()


@pytest_twisted.ensureDeferred
async def test_a_picture_that_is_there_is_not_written_again(store, disk, place) -> None:
    """But its name is brought to the disk: who made it may not have come to that."""
    await store.write(lambda tx: tx[PictureStore].keep(FACE))
    made = place.stat()
    del disk.synced[:]
    synced = await store.write(lambda tx: (tx[PictureStore].keep(FACE), [*disk.synced])[1])
    assert synced == [(str(place.parent), 1)]
    again = place.stat()
    assert (again.st_ino, again.st_size) == (made.st_ino, made.st_size)
    assert again.st_mtime_ns > made.st_mtime_ns  # it is young again, and not collected


@pytest_twisted.ensureDeferred
async def test_a_full_disk_fails_a_photo_and_nobody_else(
    store, device, disk, folder, digest
) -> None:
    """Nothing is left of a file that could not be written; later it is, as if it were new."""
    disk.fails = lambda path: digest in path
    uploads = [add(store, device, 1), add(store, device, 2, FACE), add(store, device, 3)]
    outcomes = await DeferredList(uploads, consumeErrors=True)
    assert [done for done, _ in outcomes] == [True, False, True]
    error = outcomes[1][1].value
    assert isinstance(error, StoreError)
    assert str(error) == f"cannot keep a picture in {folder}: No space left on device"
    assert await store.read(pins) == ["1", "3"]
    assert files(folder) == sorted([await digest_of(store, pin) for pin in (b"1", b"3")])
    disk.fails = lambda path: False
    await add(store, device, 2, FACE)
    assert await store.read(pins) == ["1", "3", "2"]
    assert await picture(store, digest) == FACE


@pytest_twisted.ensureDeferred
async def test_a_name_that_is_not_on_disk_is_not_acknowledged(store, device, disk, place) -> None:
    """Nor when the photo is sent again, until the folder is."""
    disk.fails = lambda path: path == str(place.parent)
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot keep a picture"):
            await add(store, device, 2, FACE)
        assert await store.read(pins) == []
    disk.fails = lambda path: False
    del disk.synced[:]
    await add(store, device, 2, FACE)
    assert str(place.parent) in [path for path, _ in disk.synced]
    assert await store.read(pins) == ["2"]


@pytest_twisted.ensureDeferred
async def test_a_folder_that_cannot_be_used_fails_photos_and_nothing_else(
    store, device, folder
) -> None:
    """Where something else is in its place, units without a picture go on."""
    away = folder.rename(folder.with_name("away"))
    folder.write_bytes(b"I was here before")
    units = [
        store.write(lambda tx: tx[DeviceStore].add("T2", DeviceState.APPROVED, "UTC", 1)),
        add(store, device, 1),
        store.write(lambda tx: tx[DeviceStore].add("T3", DeviceState.APPROVED, "UTC", 1)),
    ]
    outcomes = await DeferredList(units, consumeErrors=True)
    assert [done for done, _ in outcomes] == [True, False, True]
    assert outcomes[1][1].check(StoreError)
    assert folder.read_bytes() == b"I was here before"
    found = await store.read(lambda tx: tx[DeviceStore].page(Page(9)))
    assert [one.sn for one in found] == ["T1", "T2", "T3"]
    folder.unlink()
    with pytest.raises(StoreError, match="was removed, moved away or unmounted"):
        await add(store, device, 1)
    folder.mkdir()
    with pytest.raises(StoreError, match="another folder is at"):
        await add(store, device, 1)
    assert [*folder.iterdir()] == []
    folder.rmdir()
    away.rename(folder)
    await add(store, device, 1)
    assert await store.read(pins) == ["1"]


@pytest_twisted.ensureDeferred
async def test_a_lost_folder_of_pictures_is_not_begun_anew(
    tmp_path: pathlib.Path, store, device, folder
) -> None:
    """With pictures in the database a start without their folder is refused; an empty one, made on
    purpose, is taken."""
    await add(store, device, 1)
    await store.stop()
    away = folder.rename(folder.with_name("away"))

    def again():
        return SQLiteStores().open(f"sqlite:///{tmp_path / 'store.sqlite'}", KEY, reactor)

    with pytest.raises(StoreError, match="is missing, and the database names pictures"):
        again().start()
    assert not folder.exists()
    folder.mkdir()
    started = again()
    started.start()
    await started.stop()
    folder.rmdir()
    away.rename(folder)
    started = again()
    started.start()
    await started.stop()


@pytest_twisted.ensureDeferred
async def test_what_a_process_left_that_died_is_written_over(store, place, digest) -> None:
    """Half a picture under its own name for it does not become one."""
    place.parent.mkdir(parents=True)
    (place.parent / f"{digest}.{os.getpid()}.part").write_bytes(b"half" * 10_000)
    await store.write(lambda tx: tx[PictureStore].keep(FACE))
    assert await picture(store, digest) == FACE
    assert files(place.parent) == [digest]


@pytest_twisted.ensureDeferred
async def test_a_picture_of_a_unit_that_failed_may_stay(store, device, digest) -> None:
    """It does no harm: no row names it, and it is there if the photo is sent again."""

    def poison(tx):
        tx[AttendancePhotoStore].add(device.id, Photo("1.jpg", FACE), wall_clock("UTC"), 1)
        raise RuntimeError("poison")

    with pytest.raises(RuntimeError, match="poison"):
        await store.write(poison)
    assert await store.read(pins) == []
    assert await picture(store, digest) == FACE
    await add(store, device, 1, FACE)
    assert await store.read(pins) == ["1"]


@pytest_twisted.ensureDeferred
async def test_a_file_that_is_lost_is_said_to_be(store, device, place, digest) -> None:
    """The photo is listed; its picture is not found, which is no failure of the database."""
    await add(store, device, 1, FACE)
    place.unlink()
    (photo,) = await store.read(lambda tx: tx[AttendancePhotoStore].page(Page(9), None, None))
    with pytest.raises(LookupError, match=digest):
        await store.read(lambda tx: tx[AttendancePhotoStore].content(photo.id))
    place.mkdir()
    with pytest.raises(StoreError, match=r"cannot read .*: Is a directory"):
        await store.read(lambda tx: tx[AttendancePhotoStore].content(photo.id))
