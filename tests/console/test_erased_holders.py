"""Punches of an erased person whose user ID somebody else has by now."""

from __future__ import annotations

import re

import pytest_twisted

from ..rig import Rig
from .browser import Browser, signed_in, text_of
from .test_attendance import line, person, punch, rows
from .test_payroll import cells, sheets

MARCH = "since=2026-03-01&until=2026-03-31"
WORDS = "erased person, not Omar Saleh"


async def _reused(rig: Rig) -> Browser:
    """Erase somebody with punches and give the user ID to Omar; sign in."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "112", "Lena Gone")
    await person(rig, "7", "Ann Ash")
    await punch(
        rig,
        line("112", "2026-03-01 08:00:00"),
        line("112", "2026-03-01 09:30:00", 1),
        line("7", "2026-03-01 08:05:00"),
        line("7", "2026-03-01 09:35:00", 1),
    )
    assert (await rig.api("DELETE", "/users/112?erase=true")).status == 200
    rig.clock.advance(7200)
    await person(rig, "112", "Omar Saleh")
    await punch(rig, line("112", "2026-03-01 14:30:00"), line("112", "2026-03-01 15:30:00", 1))
    return await signed_in(rig)


@pytest_twisted.ensureDeferred
async def test_the_files_of_a_person_have_what_the_page_shows(rig: Rig) -> None:
    """The button of the month, and all files with the user ID as the person."""
    browser = await _reused(rig)
    month = await browser.get("/attendance/people/112?month=2026-03")
    assert "14:30" in text_of(month)
    assert "08:00" not in text_of(month)
    assert "this user ID was that of a person who is erased" in text_of(month)
    (button,) = re.findall(r'href="/console(/attendance/export\.xlsx[^"]*)"', month.body.decode())
    book = sheets((await browser.get(button.replace("&amp;", "&"))).body)
    assert [one[2] for one in book["Attendance"][1:]] == ["112", "112"]
    assert {one[3] for one in book["Attendance"][1:]} == {"Omar Saleh"}
    assert [one[3] for one in book["Totals"]][1:] == ["1"]
    for name in ("days", "export"):
        _, *found = cells((await browser.get(f"/attendance/{name}.csv?person=112&{MARCH}")).body)
        assert "Omar Saleh" in str(found)
        assert "08:00:00" not in str(found)


@pytest_twisted.ensureDeferred
async def test_the_list_of_a_person_leads_to_the_punches_of_the_erased_one(rig: Rig) -> None:
    """They are marked, and not over a link to the month of the new person."""
    browser = await _reused(rig)
    shown = await browser.get(f"/attendance?person=112&{MARCH}")
    assert all("Omar Saleh" in one for one in rows(shown))
    (link,) = re.findall(
        r'<div class="notice" id="hidden">.*?href="/console([^"]+)"', shown.body.decode(), re.S
    )
    theirs = await browser.get(link.replace("&amp;", "&"))
    assert [WORDS in one for one in rows(theirs)] == [True, True]
    assert "Month of this person" not in text_of(theirs)
    assert "Month of this person" in text_of(shown)


@pytest_twisted.ensureDeferred
async def test_punches_of_an_erased_person_are_not_the_new_persons_anywhere(rig: Rig) -> None:
    """In the list, in files of everybody, in their totals, notes and days to check."""
    browser = await _reused(rig)
    assert [WORDS in one for one in rows(await browser.get(f"/attendance?{MARCH}"))] == [
        *(False, False, False, True, False, True)
    ]
    book = sheets((await browser.get(f"/attendance/days.xlsx?{MARCH}")).body)
    assert [one[:2] for one in book["Payroll"][1:]] == [
        *(["7", "Ann Ash"], ["112 (earlier person)", WORDS], ["112", "Omar Saleh"])
    ]
    marks = [one[9] if len(one) > 9 else "" for one in book["Payroll"][1:]]
    assert ["of an earlier person" in one for one in marks] == [False, True, False]
    assert [one[:4] for one in book["Totals"][1:]] == [
        ["7", "Ann Ash", "", "1"],
        ["112 (earlier person)", WORDS, "", "1"],
        ["112", "Omar Saleh", "", "1"],
    ]
    assert "Do not count these rows for that person" in str(book["Notes"])
    rig.clock.advance(24 * 3600)
    browser = await signed_in(rig, name="next")
    (found,) = rows(await browser.get(f"/attendance/check?{MARCH}"))
    assert WORDS in found
    assert "of an earlier person" in found


@pytest_twisted.ensureDeferred
async def test_the_api_marks_them(rig: Rig) -> None:
    """By what there is to check; the punches of the new person have no such mark."""
    await _reused(rig)
    reply = await rig.api("GET", "/attendance/days?first=2026-03-01&last=2026-03-31&pin=112")
    assert [(one["name"], one["to_check"]) for one in reply.json["items"]] == [
        *((None, ["earlier person"]), ("Omar Saleh", []))
    ]


@pytest_twisted.ensureDeferred
async def test_nobody_else_has_the_user_id_of_who_is_only_erased(rig: Rig) -> None:
    """Such punches have a word in place of the name, in pages and files, and no mark."""
    browser = await _erased(rig)
    _, found = cells((await browser.get(f"/attendance/days.csv?{MARCH}")).body)
    assert found[:3] == ["112", "erased person", ""]
    assert "earlier" not in str(found)
    book = sheets((await browser.get(f"/attendance/days.xlsx?{MARCH}")).body)
    assert [one[:2] for one in book["Totals"][1:]] == [["112", "erased person"]]
    _, *found = cells((await browser.get(f"/attendance/export.csv?{MARCH}")).body)
    assert [one[2:4] for one in found] == [["112", "erased person"]] * 3
    listed = rows(await browser.get(f"/attendance?{MARCH}"))
    assert all("112 erased person" in one for one in listed)
    rig.clock.advance(24 * 3600)
    browser = await signed_in(rig, name="next")
    (checked,) = rows(await browser.get(f"/attendance/check?{MARCH}"))
    assert "112 erased person" in checked
    assert "odd number of punches" in checked
    reply = await rig.api("GET", "/attendance/days?first=2026-03-01&last=2026-03-31")
    assert [(one["name"], one["erased"]) for one in reply.json["items"]] == [(None, True)]


@pytest_twisted.ensureDeferred
async def test_nobody_misses_an_erased_person(rig: Rig) -> None:
    """The totals do not name days on which the person has no punch."""
    for pin in ("1", "2"):
        await person(rig, pin, f"Person {pin}")
    await _erased(rig)
    both = [line(pin, f"2026-03-0{day} 08:00:00") for pin in ("1", "2") for day in (1, 2)]
    await punch(rig, *both)
    rig.clock.advance(48 * 3600)
    browser = await signed_in(rig, name="next")
    book = sheets((await browser.get(f"/attendance/days.xlsx?{MARCH}")).body)
    missed = {one[0]: one[8] if len(one) > 8 else "" for one in book["Totals"][1:]}
    assert missed == {"1": "", "2": "", "112": ""}


@pytest_twisted.ensureDeferred
async def test_limited_accounts_do_not_learn_that_somebody_was_erased(rig: Rig) -> None:
    """No area of the person is known any more."""
    await _erased(rig)
    await rig.api("PATCH", "/devices/T1", {"area": "North"})
    north = await signed_in(rig, "read", name="bob", areas=["North"])
    assert "erased" not in text_of(await north.get(f"/attendance?{MARCH}"))


async def _erased(rig: Rig) -> Browser:
    """Erase somebody with three punches; sign in."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "112", "Lena Gone")
    await punch(
        rig,
        line("112", "2026-03-01 08:00:00"),
        line("112", "2026-03-01 09:30:00", 1),
        line("112", "2026-03-01 10:30:00"),
    )
    assert (await rig.api("DELETE", "/users/112?erase=true")).status == 200
    return await signed_in(rig)
