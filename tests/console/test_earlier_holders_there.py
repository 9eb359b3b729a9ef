"""The page of a new holder says which terminals may still have the earlier one."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig
from ..server.test_contested_parts import finger, said
from ..server.test_jobs import answer_all
from .browser import signed_in, text_of
from .test_attendance import line, person, punch

NOTICE = "These terminals may still have somebody else under this user ID"
PAGE = "/people/5"


async def reused(rig: Rig, query: str) -> None:
    """Lena is at T1 with a finger; she is removed or erased, and Omar gets her user ID."""
    await said(rig, "T1", b"USER PIN=5\tName=Lena Gone\n", finger(b"A" * 80))
    await rig.exchange("T2")
    assert (await rig.api("DELETE", f"/users/5{query}")).status == 200
    rig.clock.advance(60)
    await person(rig, "5", "Omar Saleh")


@pytest.mark.parametrize("query", ["", "?erase=true"])
@pytest_twisted.ensureDeferred
async def test_unconfirmed_deletions_are_on_the_page_of_the_new_holder(
    either: Rig, query: str
) -> None:
    """Until the terminal has deleted the user; punches from there are marked meanwhile."""
    await reused(either, query)
    browser = await signed_in(either)
    shown = text_of(await browser.get(PAGE))
    assert NOTICE in shown
    assert "none of them has confirmed the deletion: T1" in shown
    assert "T2" not in shown.partition(NOTICE)[2].partition("Punches from there")[0]
    for sn, hour in (("T1", "14"), ("T2", "15")):
        await punch(either, line("5", f"2026-03-01 {hour}:00:00"), sn=sn)
    month = text_of(await browser.get("/attendance/people/5?month=2026-03"))
    assert "1 punch counted here may be another person's." in month
    if not query:
        await either.api("POST", "/devices/T1/commands", DELETION)
    await answer_all(either, "T1")
    assert NOTICE not in text_of(await browser.get(PAGE))
    assert (await either.api("GET", "/users/5")).json["name"] == "Omar Saleh"
    await said(either, "T1", b"USER PIN=5\tName=Omar Saleh\n", finger(b"B" * 80, 3))
    assert len(await either.items("/users/5/templates")) == 1


@pytest_twisted.ensureDeferred
async def test_the_finger_of_an_erased_person_is_not_the_new_holders(either: Rig) -> None:
    """The terminal sends it before it fetches the deletion."""
    await reused(either, "?erase=true")
    await said(either, "T1", finger(b"A" * 80, 2))
    assert await either.items("/users/5/templates") == []


@pytest_twisted.ensureDeferred
async def test_other_people_have_no_such_notice(either: Rig) -> None:
    """Nobody had the user ID before."""
    await said(either, "T1", b"USER PIN=5\tName=Lena Gone\n")
    browser = await signed_in(either)
    assert NOTICE not in text_of(await browser.get(PAGE))


DELETION = {"command": "DATA DELETE USERINFO", "params": {"PIN": "5"}}
