"""Whose the punches of terminals are that have somebody else under a user ID: on every database."""

from __future__ import annotations

import pytest_twisted

from zkpush.device.functions import Effect
from zkpush.handlers.attendance.handler import AttendanceInserts
from zkpush.handlers.attendance.model import Punch, claim_to
from zkpush.handlers.attendance.store import count_punches, erase_person
from zkpush.handlers.people.claims import ClaimStore
from zkpush.handlers.people.handler import FUNCTIONS
from zkpush.handlers.people.holders import Holders
from zkpush.handlers.people.model import PunchClaim, PunchOwner
from zkpush.handlers.people.persons import PersonStore
from zkpush.handlers.people.strangers import StrangerStore
from zkpush.persist.commands import CommandStore
from zkpush.persist.erasing import PersonErasure
from zkpush.persist.transaction import Transaction
from zkpush.protocol.replies import CommandReply
from zkpush.protocol.times import UnknownClock

from .contract import (
    HOUR,
    NOW,
    SECOND,
    UTC,
    command,
    in_file,
    in_memory,
    on_postgresql,
    punches,
    rows,
    say,
    with_store,
)
from .test_people import put

OURS, OTHER, THIRD = (f"USER PIN=7\tName={name}\n" for name in ("Elena", "Ivy", "Zoe"))
DELETED: Effect = FUNCTIONS.effects["DATA DELETE USERINFO"]


def claims(tx: Transaction) -> list[PunchClaim]:
    """A query for the claims to the punches of user 7."""
    return tx[ClaimStore].of_people(["7"])


def known(device):
    """A unit in which an operator adds user 7, and a terminal has the user."""

    def unit(tx: Transaction) -> None:
        tx[PersonStore].put("7", {"name": "Elena"}, "token x", NOW)
        say(device, OURS)(tx)

    return unit


def told(found: list[PunchClaim]) -> list[tuple[str, int | None, int | None]]:
    """Whom each claim is about, and its ends, since `NOW`."""
    return [
        (
            one.name,
            None if one.since_at is None else one.since_at - NOW,
            None if one.until_at is None else one.until_at - NOW,
        )
        for one in found
    ]


def held(claim: PunchClaim, found: list[Punch]) -> list[str]:
    """The times of the punches that are in a claim."""
    return [one.time[11:16] for one in found if claim_to(one, None, {("7", one.device): [claim]})]


def punch(device, time: str, now: int):
    """A unit that stores a punch of user 7; `time` is that of the terminal."""
    return lambda tx: tx[AttendanceInserts].add(
        device.id, rows(f"7\t2026-01-05 {time}\n"), UTC, now
    )


def deleted(device, now: int):
    """A unit in which a terminal has deleted user 7."""

    def unit(tx: Transaction) -> None:
        asked = command("C1", "DATA DELETE USERINFO", {"PIN": "7"})
        queued = tx[CommandStore].add(device.id, asked, now)
        DELETED(tx, device, queued, CommandReply(id="C1", return_code=0, command="DATA"), now)

    return unit


def decide(owner: PunchOwner | None):
    """A unit that decides about the newest claim."""
    return lambda tx: tx[ClaimStore].decide(claims(tx)[-1].id, owner, "token x", NOW)


def make_claim_tests(factory):
    """The tests of claims; `factory` makes an empty store, from pytest's request."""

    class ClaimTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_a_claim_begins_with_the_upload_that_names_somebody_else(
            self, store, device
        ) -> None:
            """The terminal had the person before: its earlier punches are the person's."""
            await store.write(known(device))
            await store.write(punch(device, "08:00:00", NOW + SECOND))
            await store.write(say(device, OTHER, now=NOW + 2 * HOUR))
            await store.write(punch(device, "10:30:00", NOW + 2 * HOUR + SECOND))
            assert told(await store.read(claims)) == [("Ivy", HOUR, None)]
            (claim,) = await store.read(claims)
            assert await store.read(lambda tx: count_punches(tx, claim.span)) == 1

        @pytest_twisted.ensureDeferred
        async def test_a_terminal_that_never_had_the_person_is_doubtful_from_the_start(
            self, store, device
        ) -> None:
            """Nothing that is stored shows that an earlier punch is the person's."""
            await store.write(put("7", {"name": "Elena"}, NOW))
            await store.write(punch(device, "08:00:00", NOW + SECOND))
            await store.write(say(device, OTHER, now=NOW + 2 * SECOND))
            assert told(await store.read(claims)) == [("Ivy", None, None)]
            (claim,) = await store.read(claims)
            assert await store.read(lambda tx: count_punches(tx, claim.span)) == 1

        @pytest_twisted.ensureDeferred
        async def test_a_claim_ends_when_the_terminal_has_the_person_again(
            self, store, device
        ) -> None:
            """It stays stored; punches made before that belong to it, also if they come later."""
            await store.write(known(device))
            await store.write(say(device, OTHER, now=NOW + SECOND))
            await store.write(say(device, OURS, now=NOW + HOUR))
            assert told(await store.read(claims)) == [("Ivy", 0, HOUR)]
            await store.write(punch(device, "09:30:00", NOW + HOUR - 1))
            for time in ("09:40:00", "10:30:00"):
                await store.write(punch(device, time, NOW + 2 * HOUR))
            (claim,) = await store.read(claims)
            assert await store.read(lambda tx: count_punches(tx, claim.span)) == 2
            assert held(claim, await store.read(punches)) == ["09:30", "09:40"]

        @pytest_twisted.ensureDeferred
        async def test_a_claim_has_nothing_from_before_the_terminal_last_stated_the_person(
            self, store, device
        ) -> None:
            """Neither what it sent until then, nor what was made before and comes later."""
            await store.write(known(device))
            await store.write(punch(device, "09:10:00", NOW + HOUR))
            await store.write(say(device, OURS, now=NOW + 2 * HOUR))  # repeated
            await store.write(punch(device, "10:50:00", NOW + 2 * HOUR + SECOND))
            await store.write(punch(device, "11:00:02", NOW + 2 * HOUR + 2 * SECOND))
            await store.write(say(device, OTHER, now=NOW + 2 * HOUR + 3 * SECOND))
            await store.write(punch(device, "10:40:00", NOW + 3 * HOUR))
            await store.write(punch(device, "11:30:00", NOW + 3 * HOUR))
            (claim,) = await store.read(claims)
            assert (claim.since_at, claim.stated_at) == (NOW + 2 * HOUR, NOW + 2 * HOUR)
            assert held(claim, await store.read(punches)) == ["11:00", "11:30"]
            assert await store.read(lambda tx: count_punches(tx, claim.span)) == 2

        @pytest_twisted.ensureDeferred
        async def test_a_doubtful_time_does_not_take_a_punch_out_of_a_claim(
            self, store, device
        ) -> None:
            """A clock that is slow would give another's punches to the person."""
            await store.write(known(device))
            await store.write(say(device, OTHER, now=NOW + SECOND))
            row = rows("7\t2026-01-05 06:00:00\n")
            await store.write(
                lambda tx: tx[AttendanceInserts].add(device.id, row, UnknownClock(), NOW + HOUR)
            )
            (claim,) = await store.read(claims)
            assert held(claim, await store.read(punches)) == ["06:00"]
            assert await store.read(lambda tx: count_punches(tx, claim.span)) == 1

        @pytest_twisted.ensureDeferred
        async def test_the_next_other_person_has_nothing_from_before_the_person_either(
            self, store, device
        ) -> None:
            """When the terminal last stated the person is kept from claim to claim."""
            await store.write(known(device))
            await store.write(say(device, OTHER, now=NOW + SECOND))
            await store.write(say(device, THIRD, now=NOW + 2 * SECOND))
            assert [one.stated_at for one in await store.read(claims)] == [NOW, NOW]

        @pytest_twisted.ensureDeferred
        async def test_each_other_person_has_a_claim(self, store, device) -> None:
            """The next name ends that of the former one; another spelling does not."""
            await store.write(known(device))
            for number, body in enumerate((OTHER, "USER PIN=7\tName=IVY\n", THIRD), 1):
                await store.write(say(device, body, now=NOW + number * SECOND))
            found = told(await store.read(claims))
            assert found == [("Ivy", 0, 3 * SECOND), ("Zoe", 0, None)]

        @pytest_twisted.ensureDeferred
        async def test_terminals_have_claims_of_their_own(self, store, device, other) -> None:
            """What one has says nothing about the other."""
            for one in (device, other):
                await store.write(known(one))
            await store.write(say(other, OTHER, now=NOW + SECOND))
            assert [one.device for one in await store.read(claims)] == ["T2"]

        @pytest_twisted.ensureDeferred
        async def test_a_claim_outlives_the_settlement_until_the_terminal_has_deleted(
            self, store, device
        ) -> None:
            """The terminal has a stranger until then, who punches there."""
            await store.write(known(device))
            await store.write(say(device, OTHER, now=NOW + SECOND))
            await store.write(put("7", {"name": "Elena"}, NOW + 2 * SECOND))
            assert told(await store.read(claims)) == [("Ivy", 0, None)]
            await store.write(deleted(device, NOW + 3 * SECOND))
            assert told(await store.read(claims)) == [("Ivy", 0, 3 * SECOND)]
            await store.write(say(device, THIRD, now=NOW + 4 * SECOND))
            assert told(await store.read(claims))[1:] == [("Zoe", 0, None)]

        @pytest_twisted.ensureDeferred
        async def test_a_claim_outlives_the_removal_of_the_person(self, store, device) -> None:
            """So does the name, which may be stored with the conflict only."""
            await store.write(known(device))
            await store.write(say(device, OTHER, now=NOW + SECOND))

            def bare(tx: Transaction) -> None:
                tx.connection.exec_driver_sql(
                    "UPDATE punch_claims SET name = NULL, conflict_id = (SELECT id FROM conflicts)"
                )

            await store.write(bare)
            assert told(await store.read(claims)) == [("Ivy", 0, None)]
            await store.write(lambda tx: tx[PersonStore].remove("7", "token x", NOW + 2 * SECOND))
            assert told(await store.read(claims)) == [("Ivy", 0, None)]

        @pytest_twisted.ensureDeferred
        async def test_a_claim_begins_anew_when_somebody_gets_the_user_id(
            self, store, device
        ) -> None:
            """What came before is that of who had the ID, or of the other one."""
            await store.write(known(device))
            await store.write(say(device, OTHER, now=NOW + SECOND))
            await store.write(decide(PunchOwner.OTHER))
            later = NOW + 2 * HOUR
            await store.write(
                lambda tx: tx[PersonStore].remove("7", "token x", NOW + HOUR, erased=True)
            )
            await store.write(put("7", {"name": "Pau"}, later))
            found = await store.read(claims)
            assert told(found) == [("Ivy", 0, 2 * HOUR), ("Ivy", 2 * HOUR, None)]
            assert [one.owner for one in found] == [PunchOwner.OTHER, None]
            holders = await store.read(lambda tx: Holders.of(tx, {"7": "Pau"}, ["7"]))
            assert [holders.of_claim(one).name for one in found] == [None, "Pau"]
            assert [holders.of_claim(one).is_hidden for one in found] == [True, False]

        @pytest_twisted.ensureDeferred
        async def test_a_decision_is_kept_and_can_be_changed(self, store, device) -> None:
            """It holds for further statements of the same name."""
            await store.write(known(device))
            await store.write(say(device, OTHER, now=NOW + SECOND))
            await store.write(decide(PunchOwner.OTHER))
            await store.write(say(device, "USER PIN=7\tName=Ivy\tCard=9\n", now=NOW + 2 * SECOND))
            (claim,) = await store.read(claims)
            assert (claim.owner, claim.decided_by) == (PunchOwner.OTHER, "token x")
            for owner in (PunchOwner.PERSON, None):
                await store.write(decide(owner))
                assert [one.owner for one in await store.read(claims)] == [owner]

        @pytest_twisted.ensureDeferred
        async def test_a_decision_ends_when_the_terminal_gets_the_name_beside_a_stranger(
            self, store, device
        ) -> None:
            """Whose later punches are, nobody has decided; with the name alone, nothing is sure."""
            await store.write(known(device))
            await store.write(say(device, OTHER, now=NOW + SECOND))
            await store.write(put("7", {"name": "Elena"}, NOW + 2 * SECOND))
            await store.write(lambda tx: tx[StrangerStore].add(["7"], [device.id], NOW))
            await store.write(decide(PunchOwner.OTHER))
            await store.write(say(device, OURS, now=NOW + 3 * SECOND))
            found = await store.read(claims)
            renewed = ("Ivy", 3 * SECOND, None)  # from the upload on
            assert told(found) == [("Ivy", 0, 3 * SECOND), renewed]
            assert [one.owner for one in found] == [PunchOwner.OTHER, None]
            await store.write(say(device, OURS + "FP PIN=7\tTMP=AA==\n", now=NOW + 4 * SECOND))
            assert len(await store.read(claims)) == 2

        @pytest_twisted.ensureDeferred
        async def test_an_erasure_spares_punches_of_others_unless_they_are_meant(
            self, store, device
        ) -> None:
            """Those that may be another person's, too; they keep their mark as long as they are."""
            await store.write(known(device))
            await store.write(punch(device, "08:00:00", NOW))
            await store.write(say(device, OTHER, now=NOW + 2 * HOUR))
            await store.write(punch(device, "10:30:00", NOW + 2 * HOUR))

            def erase(*, others: bool):
                def unit(tx: Transaction) -> None:
                    tx[PersonStore].remove("7", "token x", NOW + 3 * SECOND, erased=True)
                    erase_person(
                        PersonErasure(
                            tx=tx, pin="7", now=NOW, with_attendance=True, with_others=others
                        )
                    )

                return unit

            await store.write(erase(others=False))
            assert [one.time[11:] for one in await store.read(punches)] == ["10:30:00"]
            assert [one.name for one in await store.read(claims)] == ["Ivy"]
            await store.write(erase(others=True))
            assert await store.read(punches) == []
            assert await store.read(claims) == []

        @pytest_twisted.ensureDeferred
        async def test_an_erasure_takes_punches_that_are_decided_to_be_the_persons(
            self, store, device
        ) -> None:
            """They are like all others of the person."""
            await store.write(known(device))
            await store.write(say(device, OTHER, now=NOW + SECOND))
            await store.write(punch(device, "10:30:00", NOW + 2 * SECOND))
            await store.write(decide(PunchOwner.PERSON))
            await store.write(
                lambda tx: erase_person(
                    PersonErasure(tx=tx, pin="7", now=NOW, with_attendance=True)
                )
            )
            assert await store.read(punches) == []

    return ClaimTests


class TestSQLiteInMemory(make_claim_tests(in_memory)):
    """SQLite in memory."""


class TestSQLiteFile(make_claim_tests(in_file)):
    """SQLite in a file."""


class TestPostgreSQL(make_claim_tests(on_postgresql)):
    """PostgreSQL."""
