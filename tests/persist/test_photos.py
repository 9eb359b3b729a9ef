"""Attendance photos in the store: on every database."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.attendance.model import AttendancePhoto
from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.model import Page
from zkpush.persist.pictures import PictureStore
from zkpush.protocol.photos import Photo

from .contract import (
    EVERYTHING,
    MADRID,
    NOW,
    SECOND,
    UTC,
    in_file,
    in_memory,
    on_postgresql,
    shown,
    with_store,
)

FACE, SMILE = b"\xff\xd8\xffface\x00\n", b"\xff\xd8\xffsmile\x00\n"
NAME = "20260105080000-1.jpg"


def add(store, device, name=NAME, content=FACE, *, clock=UTC, now=NOW, **more):
    """Store a photo."""
    photo = Photo(name, content, **more)
    return store.write(lambda tx: tx[AttendancePhotoStore].add(device.id, photo, clock, now))


def photos(tx) -> list[AttendancePhoto]:
    """A query for all photos."""
    return tx[AttendancePhotoStore].page(EVERYTHING, None, None)


def pictures(tx) -> list[bytes]:
    """A query for the pictures of all photos."""
    return [tx[AttendancePhotoStore].content(photo.id) for photo in photos(tx)]


def make_photo_tests(factory):
    """The tests of attendance photos; `factory` makes an empty store, from pytest's request."""

    class PhotoTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_every_field_of_a_photo_comes_back(self, store, device) -> None:
            """With the instant it was taken, and with the picture when it is asked for."""
            name = "20260105080000-0-1457-110101199001011237.jpg"
            await add(store, device, name, command="uploadphoto", extra='{"New":"x"}', raw=b"\xff")
            (found,) = await store.read(photos)
            assert shown(found) == {
                "picture": found.picture,
                "id": found.id,
                "device": "T1",
                "received_at": NOW,
                "name": name,
                "size": len(FACE),
                "kind": 0,
                "pin": "1457",
                "id_number": "110101199001011237",
                "time": "2026-01-05 08:00:00",
                "utc": 1_767_600_000,
                "doubt": None,
                "command": "uploadphoto",
                "extra": {"New": "x"},
            }
            assert await store.read(lambda tx: tx[AttendancePhotoStore].content(found.id)) == FACE
            assert await store.read(lambda tx: tx[PictureStore].get(found.picture)) == FACE
            assert (
                await store.read(lambda tx: tx[AttendancePhotoStore].content(found.id + 1)) is None
            )

        @pytest_twisted.ensureDeferred
        async def test_a_photo_is_stored_once(self, store, device, other) -> None:
            """The same name and picture of a terminal, sent again, stay as they are."""
            await add(store, device)
            before = await store.read(photos)
            await add(store, device, now=NOW + SECOND, command="again")
            assert await store.read(photos) == before
            await add(store, other)
            found = await store.read(photos)
            assert [photo.device for photo in found] == ["T1", "T2"]

        @pytest_twisted.ensureDeferred
        async def test_another_picture_of_the_same_name_is_kept_beside_it(
            self, store, device
        ) -> None:
            """Neither takes the place of the other; nor do two names of one picture."""
            for _ in range(2):
                await add(store, device, NAME, FACE)
                await add(store, device, NAME, SMILE)
                await add(store, device, "20260105080001-1.jpg", FACE)
            found = await store.read(photos)
            assert [photo.name for photo in found] == [NAME, NAME, "20260105080001-1.jpg"]
            assert await store.read(pictures) == [FACE, SMILE, FACE]

        @pytest.mark.parametrize(
            ("name", "time", "kind", "pin", "id_number"),
            [
                ("20260105080000-123.jpg", "2026-01-05 08:00:00", None, "123", None),
                ("20260105080000.jpg", "2026-01-05 08:00:00", None, None, None),
                ("20260105080000-1-123.jpg", "2026-01-05 08:00:00", 1, "123", None),
                ("20260105080000-2-1-5X.jpg", "2026-01-05 08:00:00", 2, "1", "5X"),
                ("20261305080000-123.jpg", None, None, None, None),
                ("photo.jpg", None, None, None, None),
            ],
        )
        @pytest_twisted.ensureDeferred
        async def test_the_name_says_when_and_of_whom(
            self, store, device, name, time, kind, pin, id_number
        ) -> None:
            """Time, photo type, user and citizen ID number; a name that says nothing is kept."""
            await add(store, device, name)
            (found,) = await store.read(photos)
            assert (found.name, found.time, found.kind) == (name, time, kind)
            assert (found.pin, found.id_number) == (pin, id_number)
            assert found.utc == (None if time is None else 1_767_600_000)
            assert found.doubt is None

        @pytest.mark.parametrize(
            ("name", "utc", "doubt"),
            [
                ("20251026023000-1.jpg", "2025-10-26 00:30:00", "ambiguous"),
                ("20250330023000-1.jpg", "2025-03-30 01:30:00", "nonexistent"),
                ("20260106100000-1.jpg", "2026-01-06 09:00:00", None),
                ("20260106100001-1.jpg", "2026-01-06 09:00:01", "future"),
                ("20000101000000-1.jpg", "1999-12-31 23:00:00", "past"),
            ],
        )
        @pytest_twisted.ensureDeferred
        async def test_a_doubtful_time_of_a_photo_is_marked(
            self, store, device, name, utc, doubt
        ) -> None:
            """By the terminal's own clock, as that of a record is."""
            await add(store, device, name, clock=MADRID)
            (found,) = await store.read(photos)
            assert (found.utc, found.doubt) == (UTC.utc(utc), doubt)

        @pytest.mark.parametrize(
            "name",
            [
                "../../etc/passwd",
                "/etc/passwd",
                "..\\..\\evil.jpg",
                "20260105080000-../../evil.jpg",
                "file:///etc/passwd",
                "'; DROP TABLE devices; --",
                "x" * 255,
            ],
        )
        @pytest_twisted.ensureDeferred
        async def test_a_name_is_only_data(self, store, device, name, tmp_path) -> None:
            """It comes back as it was sent, and nothing is written or read under it."""
            await add(store, device, name)
            (found,) = await store.read(photos)
            assert found.name == name
            assert await store.read(pictures) == [FACE]
            pictured = [path for path in tmp_path.rglob("*") if path.is_file()]
            assert all(
                path.name.startswith("store.sqlite") or path.name == found.picture
                for path in pictured
            ), pictured

        @pytest_twisted.ensureDeferred
        async def test_photos_are_listed_in_parts(self, store, device, other) -> None:
            """By id, each part after the one before; of one terminal, or of one user."""
            for one, pin in ((device, "3"), (device, "1"), (other, "1"), (device, "2")):
                await add(store, one, f"20260105080000-{pin}.jpg")

            async def shown(part=EVERYTHING, sn=None, pin=None):
                found = await store.read(lambda tx: tx[AttendancePhotoStore].page(part, sn, pin))
                return [f"{photo.device}/{photo.pin}" for photo in found]

            everything = ["T1/3", "T1/1", "T2/1", "T1/2"]
            ids = [photo.id for photo in await store.read(photos)]
            assert await shown() == everything
            assert await shown(Page(2)) == everything[:2]
            assert await shown(Page(2, after=ids[1])) == everything[2:]
            assert await shown(sn="T1") == ["T1/3", "T1/1", "T1/2"]
            assert await shown(pin="1") == ["T1/1", "T2/1"]
            assert await shown(sn="T2", pin="3") == []
            assert await shown(sn="T9") == []

    return PhotoTests


class TestSQLiteInMemory(make_photo_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_photo_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_photo_tests(on_postgresql)):
    """PostgreSQL."""
