"""Photos of users in the store: on every database."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted

from zkpush.handlers.people.store import PeopleStore
from zkpush.model import Page

from .contract import (
    NOW,
    in_file,
    in_memory,
    on_postgresql,
    say,
    shown,
    with_store,
)

FACE, SMILE = b"\xff\xd8\xffface\x00\n", b"\xff\xd8\xffsmile\x00\n"


def armoured(content: bytes) -> str:
    """A picture as it is sent."""
    return base64.b64encode(content).decode()


def of_one(tx):
    """A query for the photos of user 1."""
    return tx[PeopleStore].photos("1")


def make_person_photo_tests(factory):
    """The tests of photos; `factory` makes an empty store, from pytest's request."""

    class PersonPhotoTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_every_field_of_a_comparison_photo_comes_back(self, store, device) -> None:
            """With the picture itself, who said it and when."""
            text = armoured(FACE)
            line = (
                f"BIOPHOTO PIN=1\tNo=3\tIndex=2\tFileName=1.jpg\tType=9\tSize={len(text)}"
                f"\tFormat=0\tContent={text}\tNew=x"
            )
            await store.write(say(device, line))
            (found,) = await store.read(of_one)
            assert shown(found) == {
                "id": found.id,
                "device": "T1",
                "updated_at": NOW,
                "kind": "BIOPHOTO",
                "pin": "1",
                "number": 3,
                "index": 2,
                "name": "1.jpg",
                "type": 9,
                "size": len(text),
                "format": 0,
                "url": None,
                "content": FACE,
                "extra": {"New": "x"},
            }

        @pytest_twisted.ensureDeferred
        async def test_every_field_of_a_user_photo_comes_back(self, store, device) -> None:
            """It is of no biometric type; base64 that is not padded is read, too."""
            text = armoured(SMILE).rstrip("=")
            assert len(text) % 4
            await store.write(say(device, f"USERPIC PIN=1\tFileName=1.jpg\tContent={text}"))
            (found,) = await store.read(of_one)
            assert shown(found) == {
                "id": found.id,
                "device": "T1",
                "updated_at": NOW,
                "kind": "USERPIC",
                "pin": "1",
                "number": 0,
                "index": 0,
                "name": "1.jpg",
                "type": 0,
                "size": None,
                "format": None,
                "url": None,
                "content": SMILE,
                "extra": None,
            }

        @pytest_twisted.ensureDeferred
        async def test_a_photo_that_is_elsewhere_has_no_picture(self, store, device) -> None:
            """Its address is kept; nothing is fetched, and the picture before it is forgotten."""
            await store.write(say(device, f"USERPIC PIN=1\tContent={armoured(FACE)}"))
            line = "USERPIC PIN=1\tFormat=1\tUrl=http://127.0.0.1:1/1.jpg"
            await store.write(say(device, line, now=NOW + 1))
            (found,) = await store.read(of_one)
            assert (found.format, found.url) == (1, "http://127.0.0.1:1/1.jpg")
            assert found.content is None

        @pytest_twisted.ensureDeferred
        async def test_a_photo_is_kept_once_for_each_key(self, store, device) -> None:
            """Kind, type, number and index make the key; the newest replaces."""
            keys = [
                "USERPIC PIN=1",
                "BIOPHOTO PIN=1\tType=0",
                "BIOPHOTO PIN=1\tType=9",
                "BIOPHOTO PIN=1\tType=9\tNo=1",
                "BIOPHOTO PIN=1\tType=9\tIndex=1",
            ]
            for later, content in enumerate((FACE, SMILE)):
                body = "".join(f"{key}\tContent={armoured(content)}\n" for key in keys)
                await store.write(say(device, body, now=NOW + later))
                found = await store.read(of_one)
                names = ("kind", "type", "number", "index")
                assert sorted(tuple(getattr(one, name) for name in names) for one in found) == [
                    ("BIOPHOTO", 0, 0, 0),
                    ("BIOPHOTO", 9, 0, 0),
                    ("BIOPHOTO", 9, 0, 1),
                    ("BIOPHOTO", 9, 1, 0),
                    ("USERPIC", 0, 0, 0),
                ]
                assert {one.content for one in found} == {content}

        @pytest.mark.parametrize("keyword", ["USERPIC", "BIOPHOTO"])
        @pytest_twisted.ensureDeferred
        async def test_a_photo_of_an_unknown_user_makes_the_user(
            self, store, device, keyword
        ) -> None:
            """Nothing is known of it but the photo, until a terminal says more."""
            await store.write(say(device, f"{keyword} PIN=1\tContent={armoured(FACE)}"))
            (found,) = await store.read(lambda tx: tx[PeopleStore].users(Page(9)))
            assert (found.pin, found.name, found.has_photo) == ("1", None, True)
            await store.write(say(device, "USER PIN=1\tName=Ann", now=NOW + 1))
            (found,) = await store.read(lambda tx: tx[PeopleStore].users(Page(9)))
            assert (found.name, found.has_photo) == ("Ann", True)

        @pytest_twisted.ensureDeferred
        async def test_a_file_name_of_a_photo_is_only_data(self, store, device, tmp_path) -> None:
            """Whatever it looks like, nothing is written under it."""
            name = f"../../{tmp_path}/evil.jpg"
            await store.write(
                say(device, f"USERPIC PIN=../1\tFileName={name}\tContent={armoured(FACE)}")
            )
            (found,) = await store.read(lambda tx: tx[PeopleStore].photos("../1"))
            assert (found.name, found.content) == (name, FACE)
            assert not [*tmp_path.rglob("*evil*")]

    return PersonPhotoTests


class TestSQLiteInMemory(make_person_photo_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_person_photo_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_person_photo_tests(on_postgresql)):
    """PostgreSQL."""
