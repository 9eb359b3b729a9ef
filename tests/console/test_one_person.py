"""The console asks whether a conflict is about one person under a wrong name, or about two."""

from __future__ import annotations

from collections.abc import Mapping

import pytest_twisted

from ..rig import Rig
from .browser import Browser, location, signed_in, text_of
from .test_another_persons_punches import MONTH, SAID, YES, two_people
from .test_attendance import line, person, punch
from .test_people import operate
from .test_person_months import totals
from .test_several_conflicts import contradicted, names

PAGE = "/people/conflicts"
PUNCHES = "/people/punches"
HAS = "At T1, Elena Marín has or had the name Ivy Eriksen. It is one person."


async def asked(browser: Browser, action: str, fields: Mapping[str, object]) -> str:
    """The question that a form leads to."""
    return text_of(await browser.send(PAGE, action, fields))


async def problems(rig: Rig) -> list[str]:
    """The problems of people."""
    found = await rig.items("/problems")
    return [one["code"] for one in found if one["code"] in ("conflict", "removed person")]


@pytest_twisted.ensureDeferred
async def test_a_person_under_a_wrong_name_is_not_to_be_deleted(rig: Rig) -> None:
    """The page explains both cases, and what follows is one person on all pages."""
    action = await two_people(rig)
    browser = await signed_in(rig)
    for path in (PAGE, "/people/7"):
        shown = text_of(await browser.get(path))
        assert "Is it one person, whose name is wrong here or there, or are they two" in shown
        for button in ("Keep our name", "Take the terminal's name", "Keep what is stored"):
            assert button in shown
    question = await asked(browser, action, {"keep": "our_name"})
    for said in (
        "Elena Marín, user 7, is Ivy Eriksen at terminal T1, and it is one person.",
        "1 punch from there is not doubtful any more, and counts.",
        "Correct the name at the terminal",
        "Nobody is deleted.",
    ):
        assert said in question
    assert len(await rig.items("/conflicts")) == 1
    await browser.send(PAGE, action, {"keep": "our_name", **YES})
    assert await problems(rig) == []
    month = await browser.get(MONTH)
    assert HAS in text_of(month)
    assert SAID not in text_of(month)
    assert "nothing shows that the terminal ever had" not in text_of(month)
    assert totals(month)["hours from first to last punch"] == "3:00"
    people = text_of(await browser.get("/terminals/T1/people"))
    assert "The terminal has the person under the name Ivy Eriksen." in people
    assert "somebody else" not in people


@pytest_twisted.ensureDeferred
async def test_the_question_names_punches_that_were_decided_before(rig: Rig) -> None:
    """They were another person's, and are counted apart from those that are doubtful."""
    action = await two_people(rig)
    browser = await signed_in(rig)
    await browser.send(PAGE, action, {"keep": "stored", "punches": "other", **YES})
    await punch(rig, line("7", "2026-03-01 08:30:00"), sn="T1")
    await operate(rig, "USER PIN=7\tName=Ivy Eriksen\tPri=0\tCard=77\n")
    (conflict,) = await rig.items("/conflicts")
    question = await asked(browser, f"/people/conflicts/{conflict['id']}", {"keep": "our_name"})
    assert "2 punches from there were decided to be another person's, and count from" in question
    assert "doubtful any more" not in question


@pytest_twisted.ensureDeferred
async def test_the_history_names_the_terminal_that_has_filled_in_a_value(rig: Rig) -> None:
    """The account that kept the name has not typed the card."""
    await rig.exchange("T1")
    await person(rig, "7", "Elena Marín")
    await operate(rig, "USER PIN=7\tName=Ivy Eriksen\tPri=0\tCard=77\n")
    (conflict,) = await rig.items("/conflicts")
    browser = await signed_in(rig)
    await browser.confirm(PAGE, f"/people/conflicts/{conflict['id']}", {"keep": "our_name"})
    shown = text_of(await browser.get("/people/7")).split("History")[-1]
    assert "77 terminal T1" in shown


@pytest_twisted.ensureDeferred
async def test_an_area_that_distributes_is_said_to_send_the_name(rig: Rig) -> None:
    """The question says what becomes of the terminal, before it is answered."""
    action = await two_people(rig)
    await rig.api("PUT", "/areas/default", {"distributes": True})
    browser = await signed_in(rig)
    question = await asked(browser, action, {"keep": "our_name"})
    assert "What is stored here stays, and the terminal is sent the name." in question


@pytest_twisted.ensureDeferred
async def test_the_name_of_the_terminal_renames_the_person(rig: Rig) -> None:
    """The question says so, with the number of past punches."""
    action = await two_people(rig)
    browser = await signed_in(rig)
    question = await asked(browser, action, {"keep": "their_name"})
    assert "The name here becomes Ivy Eriksen instead of Elena Marín" in question
    assert "with all 3 past punches." in question
    assert "templates" not in question
    await browser.send(PAGE, action, {"keep": "their_name", **YES})
    assert [one["name"] for one in await rig.items("/users")] == ["Ivy Eriksen"]
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_an_earlier_decision_can_become_one_about_one_person_and_back(rig: Rig) -> None:
    """The buttons are on the attendance of the person, and on the list of doubtful punches."""
    action = await two_people(rig)
    browser = await signed_in(rig)
    await browser.send(PAGE, action, {"keep": "stored", "punches": "person", **YES})
    assert await problems(rig) == ["removed person"]
    (claim,) = await rig.items("/conflicts/punches")
    for path in (MONTH, f"{PUNCHES}?decided=true"):
        assert "One person: Ivy Eriksen is a wrong name" in text_of(await browser.get(path))
    one = {"owner": "person", "one_person": "true", "back": "month"}
    decided = f"{PUNCHES}/{claim['id']}"
    assert location(await browser.send(MONTH, decided, one)) == "/attendance/people/7"
    assert await problems(rig) == []
    assert "one person at terminal T1" in text_of(await browser.get("/audit"))
    assert HAS in text_of(await browser.get(MONTH))
    assert "Two people: punches of Ivy Eriksen" in text_of(await browser.get(MONTH))
    await browser.send(MONTH, decided, {"owner": "other", "back": "month"})
    assert await problems(rig) == ["removed person"]


@pytest_twisted.ensureDeferred
async def test_several_people_have_wrong_names(rig: Rig) -> None:
    """A list of typing mistakes at one terminal is settled at once."""
    first, second, third = await contradicted(rig)
    browser = await signed_in(rig)
    fields = {"keep": "our_name", "conflict": [first, third]}
    question = await asked(browser, PAGE, fields)
    assert "2 conflicts are settled: each is about one person" in question
    before = await names(rig)
    await browser.confirm(PAGE, PAGE, fields)
    assert [one["id"] for one in await rig.items("/conflicts")] == [second]
    assert (await names(rig), await problems(rig)) == (before, ["conflict"])


@pytest_twisted.ensureDeferred
async def test_a_right_is_no_question_of_who_it_is(rig: Rig) -> None:
    """A conflict about anything but the name has one row of buttons, without an explanation."""
    await rig.exchange("T1")
    await person(rig, "7", "Elena Marín")
    await operate(rig, "USER PIN=7\tName=Elena Marín\tPri=14\n")
    shown = text_of(await (await signed_in(rig)).get(PAGE))
    assert "Keep what is stored" in shown
    assert "Keep our name" not in shown
    assert "Is it one person" not in shown
