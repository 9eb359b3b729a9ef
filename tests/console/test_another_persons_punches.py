"""Punches at a terminal that has, or had, another person under the user ID."""

from __future__ import annotations

import csv
import io

import pytest_twisted

from ..rig import Rig
from ..server.test_jobs import answer_all
from .browser import Browser, signed_in, text_of
from .test_attendance import line, person, punch, rows
from .test_people import operate
from .test_person_months import totals

_SAID = "At T1, this ID is Ivy Eriksen."


@pytest_twisted.ensureDeferred
async def test_punches_that_may_be_another_persons_are_marked_until_it_is_settled(
    rig: Rig,
) -> None:
    """The list, the day, the month, its totals and the files say so; the conflict is linked."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    await person(rig, "7", "Elena Marín")
    await operate(rig, "USER PIN=7\tName=Ivy Eriksen\tPri=0\n")
    await punch(rig, line("7", "2026-03-01 08:00:00"), sn="T1")
    await punch(rig, line("7", "2026-03-01 09:00:00"), sn="T2")
    browser = await signed_in(rig)
    pages = ("/attendance", "/attendance/people/7/2026-03-01", "/attendance/people/7?month=2026-03")
    feed = text_of(await browser.get("/"))
    assert feed.count("may be another person's") == 1
    for path in pages:
        shown = await browser.get(path)
        assert _SAID in text_of(shown), path
        assert b'href="/console/people/7#conflicts"' in shown.body, path
    listed = rows(await browser.get("/attendance"))
    assert ["may be another person's" in one for one in listed] == [False, True]
    month = totals(await browser.get(pages[2]))
    assert month["punch that may be another person's"] == "1"
    got = await browser.get("/attendance/export.csv")
    heading, *found = csv.reader(io.StringIO(got.body.decode("utf-8-sig")))
    place = heading.index("May be another person's")
    assert [one[place] for one in (heading, *found)] == [
        "May be another person's",
        "",
        "Ivy Eriksen",
    ]
    (conflict,) = await rig.items("/conflicts")
    await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "terminal"})
    for path in ("/", *pages):
        assert "another person's" not in text_of(await browser.get(path)), path


async def doubted(rig: Rig) -> None:
    """A terminal that had a person, and has another one since two hours."""
    await rig.exchange("T1")
    await person(rig, "7", "Elena Marín")
    await punch(rig, line("7", "2026-03-01 08:00:00"))
    rig.clock.advance(7200)
    await operate(rig, "USER PIN=7\tName=Ivy Eriksen\tPri=0\n")
    await punch(rig, line("7", "2026-03-01 13:00:00"))


async def decided(rig: Rig) -> None:
    """The decision that the stored person has the user ID."""
    (conflict,) = await rig.items("/conflicts")
    settled = await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "stored"})
    assert settled.status == 200


async def deleted(rig: Rig) -> None:
    """The terminal deletes the user, as it is told."""
    wanted = {"command": "DATA DELETE USERINFO", "params": {"PIN": "7"}}
    await rig.api("POST", "/devices/T1/commands", wanted)
    await answer_all(rig, "T1")


async def times(browser: Browser) -> tuple[list[str], list[str]]:
    """The times of the punches that are marked, and of those that are not."""
    shown = rows(await browser.get("/attendance?order=oldest"))
    found: tuple[list[str], list[str]] = ([], [])
    for one in shown:
        found["may be another person's" not in one].append(one[:5])
    return found


@pytest_twisted.ensureDeferred
async def test_punches_of_another_person_stay_marked_after_the_decision(rig: Rig) -> None:
    """Those since the terminal had that person, until it has deleted the user; in words as past."""
    await doubted(rig)
    browser = await signed_in(rig)
    assert await times(browser) == (["13:00"], ["08:00"])
    await decided(rig)
    assert await times(browser) == (["13:00"], ["08:00"])
    for path in ("/attendance", "/attendance/people/7/2026-03-01"):
        shown = await browser.get(path)
        assert "At T1, this ID was Ivy Eriksen." in text_of(shown), path
        assert b"#conflicts" not in shown.body, path
    rig.clock.advance(3600)
    await punch(rig, line("7", "2026-03-01 14:30:00"))
    assert await times(browser) == (["13:00", "14:30"], ["08:00"])
    await deleted(rig)
    rig.clock.advance(3600)
    await punch(rig, line("7", "2026-03-01 15:30:00"))
    assert await times(browser) == (["13:00", "14:30"], ["08:00", "15:30"])


@pytest_twisted.ensureDeferred
async def test_a_user_may_be_deleted_before_the_decision(rig: Rig) -> None:
    """The punches until the deletion stay marked."""
    await doubted(rig)
    browser = await signed_in(rig)
    await deleted(rig)
    rig.clock.advance(3600)
    await punch(rig, line("7", "2026-03-01 14:30:00"))
    assert await times(browser) == (["13:00", "14:30"], ["08:00"])
    await decided(rig)
    assert await times(browser) == (["13:00"], ["08:00", "14:30"])


@pytest_twisted.ensureDeferred
async def test_marks_go_when_the_terminal_agrees(rig: Rig) -> None:
    """It states the stored name by itself: it was the same person."""
    await doubted(rig)
    browser = await signed_in(rig)
    await operate(rig, "USER PIN=7\tName=Elena Marín\tPri=0\n")
    assert await rig.items("/conflicts") == []
    assert await times(browser) == ([], ["08:00", "13:00"])


@pytest_twisted.ensureDeferred
async def test_marks_of_a_retired_terminal_stay(rig: Rig) -> None:
    """Nobody can decide any more whose the punches are."""
    await doubted(rig)
    browser = await signed_in(rig)
    assert (await rig.api("POST", "/devices/T1/retire")).status < 300
    assert await times(browser) == (["13:00"], ["08:00"])


@pytest_twisted.ensureDeferred
async def test_an_area_with_open_conflicts_is_not_all_well(rig: Rig) -> None:
    """Its page names their number and leads to them."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"area": "North", "timezone": "UTC"})
    await rig.api("PUT", "/users/7", {"name": "Elena Marín", "areas": ["North"]})
    browser = await signed_in(rig)
    assert "all well" in text_of(await browser.get("/areas/North"))
    await operate(rig, "USER PIN=7\tName=Ivy Eriksen\tPri=0\n")
    shown = text_of(await browser.get("/areas/North"))
    assert "1 conflict about people at terminals of this area is open." in shown
    assert "all well" not in shown
