"""Punches at a terminal that has another person under the user ID, until somebody decides."""

from __future__ import annotations

import csv
import io
import re

import pytest
import pytest_twisted

from ..promises.limited import MINE, OTHER, plant
from ..rig import Rig
from ..server.test_jobs import answer_all
from .browser import Browser, location, signed_in, text_of
from .test_attendance import line, person, punch, rows
from .test_people import operate
from .test_person_months import totals

LIST, DAY = "/attendance", "/attendance/people/7/2026-03-01"
MONTH = "/attendance/people/7?month=2026-03"
PAGES = (LIST, DAY, MONTH)
SAID = "At T1, this ID is Ivy Eriksen."
DOUBTFUL = "may be another person's"
YES = {"confirmed": "true"}


async def two_people(rig: Rig) -> str:
    """Ivy works at a terminal as user 7, who is Elena elsewhere; returns the conflict's path."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    await person(rig, "7", "Elena Marín")
    await operate(rig, "USER PIN=7\tName=Ivy Eriksen\tPri=0\n")
    await punch(rig, line("7", "2026-03-01 08:00:00"), sn="T1")
    for hour in ("09", "11"):
        await punch(rig, line("7", f"2026-03-01 {hour}:00:00"), sn="T2")
    (conflict,) = await rig.items("/conflicts")
    return f"/people/conflicts/{conflict['id']}"


async def exported(rig: Rig) -> list[str]:
    """The column of the file, without its heading."""
    browser = await signed_in(rig, name="exporter")
    got = await browser.get("/attendance/export.csv?order=oldest")
    heading, *found = csv.reader(io.StringIO(got.body.decode("utf-8-sig")))
    place = heading.index("May be another person's")
    return [one[place] for one in found]


@pytest_twisted.ensureDeferred
async def test_doubtful_punches_are_marked_and_their_hours_named(rig: Rig) -> None:
    """The list, the day, the month, its totals and the files say so."""
    await two_people(rig)
    browser = await signed_in(rig)
    for path in PAGES:
        assert SAID in text_of(await browser.get(path)), path
    assert text_of(await browser.get("/")).count(DOUBTFUL) == 1
    listed = rows(await browser.get(LIST))
    assert [DOUBTFUL in one for one in listed] == [False, False, True]
    shown = await browser.get(MONTH)
    assert totals(shown)["punch that may be another person's"] == "1"
    assert totals(shown)["hours from first to last punch of which 1:00 doubtful"] == "3:00"
    assert "of which 1:00 doubtful" in text_of(await browser.get(DAY))
    assert await exported(rig) == ["Ivy Eriksen", "", ""]


async def day_of_payroll(browser: Browser) -> dict[str, str]:
    """What the payroll sheet has of the day, and what its column of days adds up to."""
    period = "since=2026-03-01&until=2026-03-31"
    got = await browser.get(f"/attendance/days.csv?{period}")
    heading, day = csv.reader(io.StringIO(got.body.decode("utf-8-sig")))
    return dict(zip(heading, day, strict=True))


@pytest_twisted.ensureDeferred
async def test_the_payroll_sheet_counts_what_the_page_counts(rig: Rig) -> None:
    """Hours that depend on doubtful punches are named; those of the other person are left out."""
    action = await two_people(rig)
    browser = await signed_in(rig)
    doubtful = await day_of_payroll(browser)
    assert [doubtful[one] for one in ("Punches", "Hours between", "Of which doubtful")] == [
        *("3", "3:00:00", "1:00:00")
    ]
    assert doubtful["Punches that may be another person's"] == "1"
    assert doubtful["To check"] == "odd number of punches; no check-out; may be another person's"
    await browser.send("/people/7", action, {"keep": "stored", "punches": "other", **YES})
    shown = await browser.get(MONTH)
    assert totals(shown)["hours from first to last punch"] == "2:00"
    decided = await day_of_payroll(browser)
    assert [decided[one] for one in ("First", "Punches", "Hours between", "Of which doubtful")] == [
        *("09:00:00", "2", "2:00:00", "")
    ]
    assert decided["Punches of another person, not counted"] == "1"


@pytest_twisted.ensureDeferred
async def test_a_day_with_punches_of_the_other_person_alone_has_no_hours(rig: Rig) -> None:
    """It stays in the payroll sheet, so that nobody looks for the punches."""
    action = await two_people(rig)
    await punch(rig, line("7", "2026-03-02 08:00:00"), line("7", "2026-03-02 16:00:00"), sn="T1")
    browser = await signed_in(rig)
    await browser.send("/people/7", action, {"keep": "stored", "punches": "other", **YES})
    got = await browser.get("/attendance/days.csv?since=2026-03-02&until=2026-03-02")
    _, day = csv.reader(io.StringIO(got.body.decode("utf-8-sig")))
    assert day[3:9] == ["2026-03-02", "", "", "0", "", ""]
    assert day[-1] == "2"


@pytest.mark.parametrize("choice", ["person", "other", "later"])
@pytest_twisted.ensureDeferred
async def test_settling_asks_whose_the_punches_are(rig: Rig, choice: str) -> None:
    """Each answer is kept, in the audit log, and on every page and in the files."""
    action = await two_people(rig)
    browser = await signed_in(rig)
    asked = text_of(await browser.send("/people/7", action, {"keep": "stored"}))
    assert "Whose is this 1 punch?" in asked
    assert "may be that of Ivy Eriksen, whom it has or had as user 7." in asked
    assert "nothing shows that the terminal ever had Elena Marín." in asked
    for button in ("Punches of Elena Marín", "Punches of Ivy Eriksen", "Decide later"):
        assert button in asked
    assert len(await rig.items("/conflicts")) == 1
    await browser.send("/people/7", action, {"keep": "stored", "punches": choice, **YES})
    assert await rig.items("/conflicts") == []
    shown, month = [text_of(await browser.get(path)) for path in PAGES], None
    month = totals(await browser.get(MONTH))
    audit = [one["detail"] for one in await rig.items("/audit") if "punches" in one["action"]]
    if choice == "later":
        assert all(DOUBTFUL in one for one in shown)
        assert audit == []
    elif choice == "person":
        assert not any(DOUBTFUL in one for one in shown)
        assert (month["punches"], month["hours from first to last punch"]) == ("3", "3:00")
        assert await exported(rig) == ["", "", ""]
        assert audit[0].startswith("punches from terminal T1: those of the person")
    else:
        assert not any(DOUBTFUL in one for one in shown)
        assert (month["punches"], month["hours from first to last punch"]) == ("2", "2:00")
        assert month["punch of another person, not counted"] == "1"
        assert "1 of another person" in shown[2]
        assert all("another person's" in one for one in shown)
        assert await exported(rig) == ["is Ivy Eriksen's", "", ""]
        assert audit[0].startswith("punches from terminal T1: those of another person")


@pytest_twisted.ensureDeferred
async def test_a_decision_is_made_and_changed_on_the_attendance_page(rig: Rig) -> None:
    """Also after the conflict is settled and the person is removed, until it is undone."""
    action = await two_people(rig)
    browser = await signed_in(rig)
    await browser.send("/people/7", action, {"keep": "stored", "punches": "later", **YES})
    await browser.send("/people/7/remove", "/people/7/remove", {})
    for owner, said in (
        ("other", "1 punch in all is decided to be Ivy Eriksen's."),
        ("person", "1 punch in all is decided to be Elena Marín's."),
        ("later", "1 punch in all: whose is it?"),
    ):
        page = (await browser.get(MONTH)).body.decode()
        form = re.search(r'action="/console(/people/punches/[0-9]+)"', page)
        assert form is not None
        done = await browser.send(MONTH, form[1], {"owner": owner})
        assert location(done) == "/attendance/people/7"
        assert said in text_of(await browser.get(MONTH))
    assert await exported(rig) == ["Ivy Eriksen", "", ""]


@pytest_twisted.ensureDeferred
async def test_the_terminals_values_make_the_punches_the_persons(rig: Rig) -> None:
    """The question says what changes, with the number of past punches."""
    action = await two_people(rig)
    browser = await signed_in(rig)
    asked = text_of(await browser.send("/people/7", action, {"keep": "terminal"}))
    assert "User 7 is then Ivy Eriksen, and no longer Elena Marín" in asked
    assert "all 3 past punches" in asked
    assert (await rig.api("GET", "/users/7")).json["name"] == "Elena Marín"
    await browser.confirm("/people/7", action, {"keep": "terminal"})
    assert (await rig.api("GET", "/users/7")).json["name"] == "Ivy Eriksen"
    for path in PAGES:
        assert DOUBTFUL not in text_of(await browser.get(path)), path


@pytest_twisted.ensureDeferred
async def test_several_conflicts_ask_whose_the_punches_are(rig: Rig) -> None:
    """One answer holds for all that were chosen."""
    await two_people(rig)
    await person(rig, "8", "Hugo Sanz")
    await operate(rig, "USER PIN=8\tName=Fatima Brandt\tPri=0\n")
    await punch(rig, line("8", "2026-03-01 08:00:00"), sn="T1")
    browser = await signed_in(rig)
    fields = {"keep": "stored", "conflict": [one["id"] for one in await rig.items("/conflicts")]}
    asked = await browser.send("/people/conflicts", "/people/conflicts", fields)
    assert "Whose are these 2 punches?" in text_of(asked)
    answer = {**fields, "punches": "other", **YES}
    await browser.send("/people/conflicts", "/people/conflicts", answer)
    owners = [one["owner"] for one in await rig.items("/conflicts/punches")]
    assert owners == ["other", "other"]


@pytest_twisted.ensureDeferred
async def test_an_erasure_names_the_punches_of_others_and_spares_them(rig: Rig) -> None:
    """They are erased only if that is ticked."""
    await two_people(rig)
    browser = await signed_in(rig)
    page, erase = "/people/7/remove", "/people/7/erase"
    shown = text_of(await browser.get(page))
    assert "1 punch under this user ID is, or may be, Ivy Eriksen's, at T1." in shown
    fields = {"confirm": "7", "attendance": "true"}
    await browser.send(page, erase, fields)
    assert len(await rig.items("/attendance?pin=7")) == 1
    assert "1 punch of other people stays." in text_of(await browser.get(page))
    await browser.send(page, erase, {**fields, "others": "true"})
    assert await rig.items("/attendance?pin=7") == []
    assert await rig.items("/conflicts/punches") == []


@pytest_twisted.ensureDeferred
async def test_callers_of_an_area_decide_about_their_own_only(rig: Rig) -> None:
    """A claim of another area is like one that does not exist."""
    planted = await plant(rig)
    path = "/conflicts/punches/{id}"
    listed = await planted.ask("GET", "/conflicts/punches")
    (claim,) = listed.json["items"]
    assert (claim["device"], claim["name"], claim["punches"]) == (MINE, "Ann", 1)
    for ids, status in ((planted.others, 404), (planted.mine, 200)):
        answer = await planted.ask("POST", f"/conflicts/punches/{ids[path]}", {"owner": "other"})
        assert answer.status == status
    decided = {one["device"]: one["owner"] for one in await rig.items("/conflicts/punches")}
    assert decided == {MINE: "other", OTHER: None}
    (left,) = await rig.items("/conflicts/punches?undecided=true&pin=99177")
    assert left["device"] == OTHER
    gone = await rig.api("POST", "/conflicts/punches/99", {"owner": "other"})
    assert gone.status == 404


async def doubted(rig: Rig) -> None:
    """A terminal that had a person, and has another one since two hours."""
    await rig.exchange("T1")
    await person(rig, "7", "Elena Marín")
    await operate(rig, "USER PIN=7\tName=Elena Marín\tPri=0\n")
    await punch(rig, line("7", "2026-03-01 08:00:00"))
    rig.clock.advance(7200)
    await operate(rig, "USER PIN=7\tName=Ivy Eriksen\tPri=0\n")
    await punch(rig, line("7", "2026-03-01 13:00:00"))


@pytest_twisted.ensureDeferred
async def test_the_question_and_the_page_say_which_punches_are_meant(rig: Rig) -> None:
    """Those since the terminal was last known to have the person, not all that it just sent."""
    await rig.exchange("T1")
    await person(rig, "7", "Elena Marín")
    for day in ("26", "27", "28"):
        await punch(rig, line("7", f"2026-02-{day} 08:00:00"))
    rig.clock.advance(60)
    await operate(rig, "USER PIN=7\tName=Elena Marín\tPri=0\n")
    rig.clock.advance(60)
    await operate(rig, "USER PIN=7\tName=Ivy Eriksen\tPri=0\n")
    rig.clock.advance(60)
    await punch(rig, line("7", "2026-03-01 12:02:30"))
    await punch(rig, line("7", "2026-03-01 09:00:00"))
    browser = await signed_in(rig)
    said = "They were received and made since Sun 1 Mar 2026 12:01:00 , when the terminal was last"
    (conflict,) = await rig.items("/conflicts")
    action = f"/people/conflicts/{conflict['id']}"
    asked = text_of(await browser.send("/people/7", action, {"keep": "stored"}))
    assert "Whose is this 1 punch?" in asked
    assert said in asked
    assert said in text_of(await browser.get(MONTH))
    assert (await rig.items("/conflicts/punches"))[0]["stated"] == "2026-03-01T12:01:00.000Z"


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
    """The times of marked punches, and of all others."""
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
        assert "At T1, this ID is Ivy Eriksen." in text_of(shown), path
    rig.clock.advance(3600)
    await punch(rig, line("7", "2026-03-01 14:30:00"))
    assert await times(browser) == (["13:00", "14:30"], ["08:00"])
    await deleted(rig)
    rig.clock.advance(3600)
    await punch(rig, line("7", "2026-03-01 15:30:00"))
    assert await times(browser) == (["13:00", "14:30"], ["08:00", "15:30"])
    assert "At T1, this ID was Ivy Eriksen." in text_of(await browser.get("/attendance"))


@pytest_twisted.ensureDeferred
async def test_a_user_may_be_deleted_before_the_decision(rig: Rig) -> None:
    """The punches until the deletion stay marked."""
    await doubted(rig)
    browser = await signed_in(rig)
    await deleted(rig)
    rig.clock.advance(3600)
    await punch(rig, line("7", "2026-03-01 14:30:00"))
    assert await times(browser) == (["13:00"], ["08:00", "14:30"])
    await decided(rig)
    assert await times(browser) == (["13:00"], ["08:00", "14:30"])


@pytest_twisted.ensureDeferred
async def test_marks_end_when_the_terminal_agrees(rig: Rig) -> None:
    """Whose the punches until then are, somebody has to decide."""
    await doubted(rig)
    browser = await signed_in(rig)
    await operate(rig, "USER PIN=7\tName=Elena Marín\tPri=0\n")
    assert await rig.items("/conflicts") == []
    rig.clock.advance(3600)
    await punch(rig, line("7", "2026-03-01 14:30:00"))
    assert await times(browser) == (["13:00"], ["08:00", "14:30"])


@pytest_twisted.ensureDeferred
async def test_marks_of_a_retired_terminal_stay(rig: Rig) -> None:
    """Nobody has decided yet whose the punches are."""
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
