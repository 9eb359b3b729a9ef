"""Users in the store: on every database."""

from __future__ import annotations

import pytest_twisted
from msgspec.structs import replace

from zkpush.handlers.people.contradictions import ConflictStore
from zkpush.handlers.people.persons import PersonStore
from zkpush.handlers.people.store import PeopleStore
from zkpush.model import Page

from .contract import (
    EVERYTHING,
    NOW,
    SECOND,
    in_file,
    in_memory,
    on_postgresql,
    say,
    shown,
    with_store,
)

ANN = "USER PIN=1\tName=Ann\tPri=14\tPasswd=s3cret\tCard=77\tGrp=2\tTZ=0001000100000000\tVerify=4"


def user(pin: str):
    """A query for one user."""

    def query(tx):
        (found,) = tx[PeopleStore].users(EVERYTHING, pin)
        return found

    return query


def name(pin: str):
    """A query for the name of a user."""
    return lambda tx: user(pin)(tx).name


def put(pin: str, values: dict[str, object], now: int, author: str = "token office"):
    """A unit in which an operator changes a user."""
    return lambda tx: tx[PersonStore].put(pin, values, author, now)


def make_people_tests(factory):
    """The tests of users; `factory` makes an empty store, from pytest's request."""

    class PeopleTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_every_field_of_a_user_comes_back(self, store, device) -> None:
            """With who said it and when, and what the protocol does not know."""
            more = "\tViceCard=[15CD5B07]\tStartDatetime=20260101\tEndDatetime=0\tExpires=1\tNew=x"
            await store.write(say(device, ANN + more))
            found = await store.read(user("1"))
            assert shown(found) == {
                "id": found.id,
                "device": "T1",
                "updated_at": NOW,
                "pin": "1",
                "name": "Ann",
                "privilege": 14,
                "password": "s3cret",
                "card": "77",
                "group": 2,
                "timezones": "0001000100000000",
                "verify": 4,
                "vice_card": "123456789",
                "start_datetime": "20260101",
                "end_datetime": "0",
                "expires": "1",
                "extra": {"New": "x"},
                "templates": {},
                "has_photo": False,
                "areas": ("default",),
            }

        @pytest_twisted.ensureDeferred
        async def test_what_is_not_said_of_a_user_stays(self, store, device, other) -> None:
            """A terminal that knows less of a user takes nothing away, and adds what is missing."""
            await store.write(say(device, ANN + "\tNew=x"))
            before = await store.read(user("1"))
            less = "USER PIN=1\tGrp=\tVerify=4\tExpires=1"
            await store.write(say(other, less, now=NOW + 1))
            after = await store.read(user("1"))
            assert after == replace(before, updated_at=NOW + 1, expires="1")

        @pytest_twisted.ensureDeferred
        async def test_an_empty_value_says_nothing(self, store, device) -> None:
            """Not even from the terminal that stated the value."""
            await store.write(say(device, ANN))
            before = await store.read(user("1"))
            gone = "USER PIN=1\tName=\tPasswd=\tCard=[0000000000]\tTZ=\tVerify=4"
            await store.write(say(device, gone, now=NOW + 1))
            assert await store.read(user("1")) == before

        @pytest_twisted.ensureDeferred
        async def test_two_statements_of_one_body_are_one(self, store, device) -> None:
            """The later wins; what it leaves empty, the earlier says."""
            await store.write(
                say(
                    device,
                    "USER PIN=1\tName=Ann\tCard=77\tGrp=3\n"
                    "USER PIN=2\tName=Bob\n"
                    "USER PIN=1\tName=Anna\tCard=\n"
                    "USER PIN=1\tPri=14\n",
                )
            )
            found = await store.read(user("1"))
            assert (found.name, found.card, found.group) == ("Anna", "77", 3)
            assert found.privilege == 14
            assert await store.read(name("2")) == "Bob"

        @pytest_twisted.ensureDeferred
        async def test_what_an_earlier_statement_of_a_body_adds_is_news(
            self, store, device, other
        ) -> None:
            """Also if the later one is what the terminal said before, and once only."""
            await store.write(say(device, "USER PIN=1\tName=Ann\n"))
            await store.write(say(device, "USER PIN=1\tCard=5\n"))
            body = "USER PIN=1\tName=Anna\nUSER PIN=1\tCard=5\n"
            await store.write(say(device, body, now=NOW + 1))
            assert await store.read(name("1")) == "Anna"
            await store.write(put("1", {"name": "Anne"}, NOW + 2))
            await store.write(say(device, body, now=NOW + 3))
            assert await store.read(name("1")) == "Anne"
            assert await store.read(lambda tx: tx[ConflictStore].page(EVERYTHING)) == []

        @pytest_twisted.ensureDeferred
        async def test_the_last_of_a_body_said_again_alone_is_no_news(self, store, device) -> None:
            """Where it says all there is, it is what the terminal said."""
            await store.write(say(device, "USER PIN=1\tName=Ann\nUSER PIN=1\tName=Bob\n"))
            await store.write(put("1", {"name": "Cid"}, NOW + 1))
            await store.write(say(device, "USER PIN=1\tName=Bob\n", now=NOW + 2))
            assert await store.read(name("1")) == "Cid"
            assert await store.read(lambda tx: tx[ConflictStore].page(EVERYTHING)) == []

        @pytest_twisted.ensureDeferred
        async def test_users_are_listed_in_parts(self, store, device) -> None:
            """By id, each part after the one before; the same user, once."""
            for _ in range(2):
                await store.write(say(device, "".join(f"USER PIN={pin}\n" for pin in "312")))
            first = await store.read(lambda tx: tx[PeopleStore].users(Page(2)))
            last = first[-1].id
            rest = await store.read(lambda tx: tx[PeopleStore].users(Page(2, after=last)))
            assert len(first) == 2
            assert sorted(found.pin for found in [*first, *rest]) == ["1", "2", "3"]
            assert await store.read(lambda tx: tx[PeopleStore].users(EVERYTHING, "9")) == []
            assert (
                await store.read(lambda tx: tx[PeopleStore].users(Page(9, after=last), "1")) == []
            )

        @pytest_twisted.ensureDeferred
        async def test_a_user_is_shown_with_counts_of_templates_and_photos(
            self, store, device
        ) -> None:
            """Templates by biometric type, and whether there is a photo of either kind."""
            await store.write(
                say(
                    device,
                    "USER PIN=1\nUSER PIN=2\nUSER PIN=3\n"
                    "FP PIN=1\tFID=1\tTMP=AAAA\nFP PIN=1\tFID=2\tTMP=AAAA\n"
                    "BIODATA Pin=1\tType=9\tTmp=AAAA\nBIODATA Pin=2\tType=9\tTmp=AAAA\n"
                    "USERPIC PIN=2\tContent=AAAA\nBIOPHOTO PIN=3\tType=9\tContent=AAAA\n",
                )
            )
            found = await store.read(lambda tx: tx[PeopleStore].users(EVERYTHING))
            assert {one.pin: (one.templates, one.has_photo) for one in found} == {
                "1": ({1: 2, 9: 1}, False),
                "2": ({9: 1}, True),
                "3": ({}, True),
            }

        @pytest_twisted.ensureDeferred
        async def test_more_users_than_one_query_looks_up_are_kept(
            self, store, device, other
        ) -> None:
            """1,200 in one body: all are news once, and none of what is not is."""

            def all_named(first):
                return "".join(f"USER PIN={pin}\tName={first}{pin}\n" for pin in range(1200))

            def names(tx):
                return {found.pin: found.name for found in tx[PeopleStore].users(EVERYTHING)}

            await store.write(say(device, all_named("a")))
            assert await store.read(names) == {str(pin): f"a{pin}" for pin in range(1200)}
            await store.write(say(other, all_named("b"), now=NOW + SECOND))
            assert await store.read(names) == {str(pin): f"a{pin}" for pin in range(1200)}
            await store.write(say(device, all_named("c"), now=NOW + 2 * SECOND))
            assert await store.read(names) == {str(pin): f"c{pin}" for pin in range(1200)}
            await store.write(say(device, all_named("c"), now=NOW + 3 * SECOND))
            assert len(await store.read(lambda tx: tx[ConflictStore].page(EVERYTHING))) == 1200

    return PeopleTests


class TestSQLiteInMemory(make_people_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_people_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_people_tests(on_postgresql)):
    """PostgreSQL."""
