"""Who had a user ID before somebody else got it: on every database."""

from __future__ import annotations

import pytest_twisted

from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.store import erase_person
from zkpush.handlers.people.claims import ClaimStore
from zkpush.handlers.people.persons import PersonStore
from zkpush.handlers.people.store import EarlierHolders, PeopleStore
from zkpush.persist.erasing import PersonErasure
from zkpush.persist.transaction import Transaction

from .contract import (
    HOUR,
    NOW,
    SECOND,
    UTC,
    in_file,
    in_memory,
    on_postgresql,
    punches,
    rows,
    say,
    with_store,
)
from .test_people import put


def reused(device):
    """A unit in which Elena leaves, whom a terminal has, and Ivy gets the user ID an hour later."""

    def unit(tx: Transaction) -> None:
        put("7", {"name": "Elena"}, NOW)(tx)
        say(device, "USER PIN=7\tName=Elena\n")(tx)
        tx[PersonStore].remove("7", "token x", NOW + SECOND)
        put("7", {"name": "Ivy"}, NOW + HOUR)(tx)

    return unit


def make_holder_tests(factory):
    """The tests of earlier holders; `factory` makes an empty store, from pytest's request."""

    class HolderTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_a_punch_is_that_of_whoever_had_the_user_id(self, store, device) -> None:
            """By its own time, however late it comes."""
            await store.write(reused(device))
            found = await store.read(lambda tx: tx[PeopleStore].holders(["7"]))
            instants = (NOW // 1000, (NOW + HOUR) // 1000 - 1, (NOW + HOUR) // 1000)
            whose = [found.at("7", one) for one in instants]
            assert [(one.name, one.has_left) for one in whose] == [
                *[("Elena", True)] * 2,
                ("Ivy", False),
            ]

        @pytest_twisted.ensureDeferred
        async def test_a_terminal_that_has_who_left_is_doubtful_from_then_on(
            self, store, device
        ) -> None:
            """A person who comes back under the same name starts no doubt."""
            await store.write(reused(device))
            (claim,) = await store.read(lambda tx: tx[ClaimStore].of_people(["7"]))
            assert (claim.name, claim.since_at, claim.until_at) == ("Elena", NOW + HOUR, None)
            await store.write(lambda tx: tx[PersonStore].remove("7", "token x", NOW + 2 * HOUR))
            await store.write(put("7", {"name": "ivy"}, NOW + 3 * HOUR))
            claims = await store.read(lambda tx: tx[ClaimStore].of_people(["7"]))
            assert [one.name for one in claims] == ["Elena"]

        @pytest_twisted.ensureDeferred
        async def test_an_erasure_of_who_left_spares_the_newcomer(self, store, device) -> None:
            """Each punch is erased with its own person."""
            await store.write(reused(device))
            both = rows("7\t2026-01-05 07:30:00\n7\t2026-01-05 12:30:00\n")
            await store.write(lambda tx: tx[AttendanceInserts].add(device.id, both, UTC, NOW))
            (earlier,) = (await store.read(lambda tx: tx[EarlierHolders].of(["7"])))["7"]
            spans = ((earlier.since, earlier.until),)
            erasure = {"pin": "7", "now": NOW, "with_attendance": True, "spans": spans}
            await store.write(lambda tx: erase_person(PersonErasure(tx=tx, **erasure)))
            assert [one.time for one in await store.read(punches)] == ["2026-01-05 12:30:00"]

    return HolderTests


class TestSQLiteInMemory(make_holder_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_holder_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_holder_tests(on_postgresql)):
    """PostgreSQL."""
