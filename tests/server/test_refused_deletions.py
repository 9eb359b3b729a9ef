"""Deletions of people that a terminal refuses: they are a problem in words, and tried again."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.people.returns import ErasedReturns

from ..rig import Rig
from .test_distribution import distribute, look, person, wired
from .test_people_changes import mentions, said

DAY = 24 * 3600
PIN = "Q50077Z"
REFUSED = -3


async def polled(rig: Rig, code: int = 0) -> list[str]:
    """Let the server look, and the terminal answer what it gets; returns that."""
    await look(rig)
    for job in rig.daemon.jobs:
        if isinstance(job, ErasedReturns):
            await job.work()
    reply = (await rig.get("getrequest?SN=A1")).body.decode()
    found = []
    for line in reply.splitlines() if reply != "OK" else ():
        _, id, text = line.split(":", 2)
        found.append(text)
        done = f"ID={id}&Return={code}&CMD=DATA".encode()
        assert (await rig.post("devicecmd?SN=A1", done)).status == 200
    return found


async def said_problems(rig: Rig) -> list[str]:
    """What the problems say about refused deletions."""
    found = await rig.items("/problems")
    return [one["detail"] for one in found if "delete" in one["detail"]]


@pytest.mark.long
@pytest.mark.parametrize("is_removed", [False, True], ids=["left", "removed"])
@pytest_twisted.ensureDeferred
async def test_the_deletion_of_who_left_is_tried_again_within_a_day(
    make_rig: Any, database: str, is_removed: bool
) -> None:
    """Whether the person left the area or the list, and not before that."""
    rig = await make_rig(database=database)
    await wired(rig)
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await polled(rig)
    if is_removed:
        await rig.api("DELETE", "/users/5")
    else:
        await person(rig, "5", areas=["South"])
    deletion = ["DATA DELETE USERINFO PIN=5"]
    assert await polled(rig, REFUSED) == deletion
    assert await polled(rig) == []
    (words,) = await said_problems(rig)
    assert "A1 has not deleted users who do not belong there: 5" in words
    rig.clock.advance(DAY)
    assert [*await polled(rig), *await polled(rig)] == deletion
    await look(rig)
    assert await said_problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_it_is_tried_again_where_the_area_does_not_distribute_any_more(rig: Rig) -> None:
    """No comparison of the terminal would find it."""
    await wired(rig)
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await polled(rig)
    await look(rig)
    await rig.api("PUT", "/areas/North", {"distributes": False})
    await look(rig)
    await rig.api("DELETE", "/users/5")
    assert await polled(rig, REFUSED) == ["DATA DELETE USERINFO PIN=5"]
    assert await polled(rig) == []
    rig.clock.advance(DAY)
    assert await polled(rig) == ["DATA DELETE USERINFO PIN=5"]


@pytest_twisted.ensureDeferred
async def test_the_deletion_of_an_erased_person_is_tried_again_after_growing_pauses(
    make_rig: Any, database: str
) -> None:
    """The user ID stays sealed until then, and nothing else; the problem names nobody."""
    rig = await make_rig(database=database)
    await wired(rig)
    await said(rig, f"USER PIN={PIN}\tName=Zaphod\n".encode(), "A1")
    assert (await rig.api("DELETE", f"/users/{PIN}?erase=true")).status == 200
    deletion = [f"DATA DELETE USERINFO PIN={PIN}"]
    assert await polled(rig, REFUSED) == deletion
    assert await rig.store.read(mentions("Zaph")) == set()
    assert "erased_holders" in await rig.store.read(mentions(PIN))
    assert "commands" not in await rig.store.read(mentions(PIN))
    (words,) = await said_problems(rig)
    assert "A1 refuses to delete 1 erased person (return code -3)" in words
    assert PIN not in words
    for minutes in (5, 20, 80, 320, 1280, 1440, 1440):
        rig.clock.advance((minutes - 5) * 60)
        assert await polled(rig, REFUSED) == []
        rig.clock.advance(5 * 60)
        assert await polled(rig, REFUSED) == deletion
    rig.clock.advance(DAY)
    assert await polled(rig) == deletion
    assert await said_problems(rig) == []
    assert await polled(rig) == []


@pytest_twisted.ensureDeferred
async def test_an_erased_person_who_is_there_again_is_not_asked_for_before_the_pause_ends(
    rig: Rig,
) -> None:
    """The terminal states the person again and again; and one who is added again is not deleted."""
    await wired(rig)
    await said(rig, f"USER PIN={PIN}\tName=Zaphod\n".encode(), "A1")
    assert (await rig.api("DELETE", f"/users/{PIN}?erase=true")).status == 200
    assert len(await polled(rig, REFUSED)) == 1
    await said(rig, f"USER PIN={PIN}\tName=Zaphod\n".encode(), "A1")
    assert await polled(rig) == []
    assert (await rig.api("PUT", f"/users/{PIN}", {"name": "Zaphod"})).status == 200
    rig.clock.advance(DAY)
    assert [text for text in await polled(rig) if "DELETE" in text] == []
