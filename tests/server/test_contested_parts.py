"""Two people under one user ID: the templates of neither overwrite those of the other."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from sqlalchemy import func, select

from zkpush.handlers.people.contradictions import ConflictStore
from zkpush.handlers.people.personrows import PersonRows
from zkpush.handlers.people.schema import contested_parts
from zkpush.handlers.people.store import PeopleStore
from zkpush.model import Page
from zkpush.persist.transaction import Transaction

from ..rig import Rig

ANN, EVE, OTHER = (base64.b64encode(bytes([one]) * 60) for one in (1, 2, 3))
FACES = {ANN: b"\xff\xd8ann", EVE: b"\xff\xd8eve"}


def user(name: str) -> bytes:
    """The line of a user."""
    return b"USER PIN=5\tName=%s\n" % name.encode()


def finger(template: bytes, number: int = 1) -> bytes:
    """The line of a fingerprint."""
    return b"FP PIN=5\tFID=%d\tSize=80\tValid=1\tTMP=%s\n" % (number, template)


def picture(of: bytes) -> bytes:
    """The line of a photo."""
    content = base64.b64encode(FACES[of])
    return b"USERPIC PIN=5\tFileName=5.jpg\tSize=%d\tContent=%s\n" % (len(content), content)


async def said(rig: Rig, sn: str, *lines: bytes) -> None:
    """Let an approved terminal upload lines."""
    await rig.api("PATCH", f"/devices/{sn}", {"state": "approved"})
    await rig.exchange(sn)
    rig.clock.advance(1)
    body = b"".join(lines)
    assert (await rig.post(f"cdata?SN={sn}&table=OPERLOG&Stamp=1", body)).status == 200


async def fingers(rig: Rig) -> dict[int, bytes]:
    """The stored fingerprints of the user."""
    found = await rig.store.read(lambda tx: tx[PeopleStore].templates("5"))
    return {one.number: one.template for one in found}


async def photo(rig: Rig) -> bytes | None:
    """The stored photo of the user."""
    (found,) = await rig.store.read(lambda tx: tx[PeopleStore].photos("5"))
    return found.content


async def kept_apart(rig: Rig) -> int:
    """The number of records that are kept apart."""
    query = select(func.count()).select_from(contested_parts)
    return await rig.store.read(lambda tx: tx.connection.execute(query).scalar_one())


async def settle(rig: Rig, **choice: object) -> None:
    """Settle the conflict."""
    (conflict,) = await rig.items("/conflicts")
    assert (await rig.api("POST", f"/conflicts/{conflict['id']}", choice)).status == 200


async def in_conflict(rig: Rig) -> None:
    """Ann at the terminal A1, and Eve under the same user ID at B1."""
    await said(rig, "A1", user("Ann"), finger(ANN), picture(ANN))
    await said(rig, "B1", finger(EVE), picture(EVE), user("Eve"))
    await said(rig, "B1", finger(OTHER, 2))


@pytest.mark.parametrize(
    ("choice", "expected", "face"),
    [
        ({"keep": "stored"}, {1: ANN}, ANN),
        ({"keep": "terminal"}, {1: EVE, 2: OTHER}, EVE),
        ({"fields": {"name": "Eve"}}, {1: EVE, 2: OTHER}, EVE),
        ({"fields": {"name": "Ada"}}, {1: ANN}, ANN),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_chosen_person_has_all_templates_and_photos(
    rig: Rig, choice: dict[str, object], expected: dict[int, bytes], face: bytes
) -> None:
    """Until then, those of the stored person stay."""
    await in_conflict(rig)
    assert await fingers(rig) == {1: ANN}
    assert (await photo(rig), await kept_apart(rig)) == (FACES[ANN], 3)
    await settle(rig, **choice)
    assert await fingers(rig) == expected
    assert (await photo(rig), await kept_apart(rig)) == (FACES[face], 0)


@pytest_twisted.ensureDeferred
async def test_what_was_kept_apart_is_merged_when_the_terminal_agrees(rig: Rig) -> None:
    """It was the same person under another name."""
    await in_conflict(rig)
    await said(rig, "B1", user("Ann"))
    assert await rig.items("/conflicts") == []
    assert (await fingers(rig), await kept_apart(rig)) == ({1: EVE, 2: OTHER}, 0)


@pytest_twisted.ensureDeferred
async def test_another_privilege_is_no_other_person(rig: Rig) -> None:
    """Templates of a terminal with such a conflict are those of the person."""
    await said(rig, "A1", user("Ann"), finger(ANN))
    await said(rig, "B1", user("Ann").replace(b"\n", b"\tPri=14\n"), finger(EVE))
    assert len(await rig.items("/conflicts")) == 1
    assert (await fingers(rig), await kept_apart(rig)) == ({1: EVE}, 0)


@pytest_twisted.ensureDeferred
async def test_another_card_is_the_same_person(rig: Rig) -> None:
    """Who takes the card of a terminal keeps all templates of the person."""
    await said(rig, "A1", user("Ann"), finger(ANN))
    assert (await rig.api("PUT", "/users/5", {"card": "77"})).status == 200
    await said(rig, "B1", user("Ann").replace(b"\n", b"\tCard=78\n"), finger(OTHER, 2))
    assert (await fingers(rig), await kept_apart(rig)) == ({1: ANN}, 1)
    await settle(rig, keep="terminal")
    assert (await fingers(rig), await kept_apart(rig)) == ({1: ANN, 2: OTHER}, 0)


@pytest_twisted.ensureDeferred
async def test_a_corrected_name_loses_nothing_that_the_terminal_has(rig: Rig) -> None:
    """What both terminals have belongs to whom the operator chooses."""
    await said(rig, "A1", user("Ann"), finger(ANN), finger(OTHER, 2))
    assert (await rig.api("PUT", "/users/5", {"name": "Ann"})).status == 200
    await said(rig, "B1", user("Ann"), finger(ANN))
    await said(rig, "B1", user("Anne"), finger(EVE, 3))
    await settle(rig, keep="terminal")
    assert await fingers(rig) == {1: ANN, 3: EVE}


@pytest.mark.parametrize(
    ("elsewhere", "expected"), [(ANN, {1: ANN, 3: EVE}), (OTHER, {3: EVE})], ids=["same", "other"]
)
@pytest_twisted.ensureDeferred
async def test_a_finger_of_the_chosen_terminal_stays_whatever_table_it_is_in_elsewhere(
    rig: Rig, elsewhere: bytes, expected: dict[int, bytes]
) -> None:
    """Another one under its number is not its own; that of the terminal is heard when it comes."""
    own = b"BIODATA Pin=5\tNo=1\tValid=1\tType=1\tFormat=0\tTmp=%s\n" % ANN
    await said(rig, "A1", user("Ann"), own)
    assert (await rig.api("PUT", "/users/5", {"name": "Ann"})).status == 200
    await said(rig, "B1", user("Ann"), finger(elsewhere))
    await said(rig, "A1", user("Anne"), finger(EVE, 3))
    await settle(rig, keep="terminal")
    assert await fingers(rig) == expected
    await said(rig, "A1", own)
    assert await fingers(rig) == {1: ANN, 3: EVE}


@pytest_twisted.ensureDeferred
async def test_a_finger_of_the_chosen_person_is_no_news_when_it_is_sent_again(rig: Rig) -> None:
    """It was kept apart, and replaced that of the other person; a newer one is stored since."""
    await in_conflict(rig)
    await settle(rig, keep="terminal")
    await said(rig, "C1", user("Eve"), finger(OTHER))
    await said(rig, "B1", finger(EVE))
    assert await fingers(rig) == {1: OTHER, 2: OTHER}


@pytest.mark.parametrize("path", ["/users/5", "/users/5?erase=true"])
@pytest_twisted.ensureDeferred
async def test_a_removed_person_leaves_nothing_kept_apart(rig: Rig, path: str) -> None:
    """Of neither of the two."""
    await in_conflict(rig)
    assert (await rig.api("DELETE", path)).status == 200
    assert (await fingers(rig), await kept_apart(rig)) == ({}, 0)


@pytest_twisted.ensureDeferred
async def test_keeping_the_stored_person_undoes_what_came_from_the_other(rig: Rig) -> None:
    """What the terminal changed since it states another name, and nothing else."""
    await said(rig, "A1", user("Ann"))
    await said(rig, "B1", b"USER PIN=5\tName=Ann\tViceCard=9\n")
    await said(rig, "B1", b"USER PIN=5\tName=Eve\tCard=78\n")

    def take(tx: Transaction) -> None:
        """Take the card and the group, as version 0.2 did."""
        rows, now = PersonRows(tx), tx[ConflictStore].page(Page(1))[0].at
        rows.write([{"pin": "5", "card": "78", "group": 3}])
        rows.author([("5", "card", "device B1"), ("5", "group", "device B1")])
        rows.remember([("5", "card", now, "device B1", None, "78")])
        rows.remember([("5", "group", now, "device B1", old, new) for old, new in ("12", "23")])

    await rig.store.write(take)
    await settle(rig, keep="stored")
    found = (await rig.api("GET", "/users/5")).json
    assert [found[one] for one in ("name", "card", "group", "vice_card")] == ["Ann", None, 1, "9"]
