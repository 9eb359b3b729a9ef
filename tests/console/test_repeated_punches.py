"""Punches of people who press twice: shown and counted, but nothing to check."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig
from .browser import signed_in, text_of
from .test_attendance import line, person, punch, rows
from .test_payroll import cells, sheets

DAY = "2026-02-02"
SPAN = f"since={DAY}&until={DAY}"
API = f"/attendance/days?first={DAY}&last={DAY}"
CASES = {
    "pressed twice, and left": (
        [("08:00:00", 0), ("08:00:08", 0), ("17:00:00", 1)],
        ([], 32400, "17:00:00"),
    ),
    "pressed twice, and left twice": (
        [("08:00:00", 0), ("08:01:00", 0), ("17:00:00", 1), ("17:00:05", 1)],
        ([], 32405, "17:00:05"),
    ),
    "only pressed twice": ([("08:00:00", 0), ("08:00:08", 0)], (["one punch"], None, None)),
    "without states": ([("08:00:00", 255), ("08:00:08", 255)], (["one punch"], None, None)),
    "in and out": ([("08:00:00", 0), ("08:00:08", 1)], ([], 8, "08:00:08")),
    "after more than a minute": (
        [("08:00:00", 0), ("08:01:01", 0)],
        (["no check-out"], 61, "08:01:01"),
    ),
    "over and over": (
        [("08:00:00", 255), ("08:00:50", 255), ("08:01:40", 255)],
        (["one punch"], None, None),
    ),
    "over and over, and left": (
        [("08:00:00", 255), ("08:00:50", 255), ("08:01:40", 255), ("17:00:00", 255)],
        ([], 32400, "17:00:00"),
    ),
    "seen over and over": (
        [(f"08:{minute:02}:00", 255) for minute in range(11)],
        ([], 600, "08:10:00"),
    ),
    "one of four": (
        [("08:00:00", 0), ("12:00:00", 1), ("12:00:30", 1), ("17:00:00", 0)],
        (["odd number"], 32400, "17:00:00"),
    ),
}
"""Times and states, and what there is to check, the seconds between, and the last punch."""


@pytest.mark.parametrize("case", CASES)
@pytest_twisted.ensureDeferred
async def test_what_there_is_to_check_does_not_depend_on_repeats(rig: Rig, case: str) -> None:
    """In the API, the payroll sheet, its totals, days to check, and the month alike."""
    punches, (marks, seconds, last) = CASES[case]
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "7", "Ann Ash")
    await punch(rig, *(line("7", f"{DAY} {time}", state) for time, state in punches))
    (found,) = (await rig.api("GET", API)).json["items"]
    assert (found["to_check"], found["seconds"], found["last"]) == (marks, seconds, last)
    assert found["punches"] == len(punches)
    browser = await signed_in(rig)
    _, row = cells((await browser.get(f"/attendance/days.csv?{SPAN}")).body)
    assert (row[5], row[6]) == (last or "", str(len(punches)))
    book = sheets((await browser.get(f"/attendance/days.xlsx?{SPAN}")).body)
    total = [*book["Totals"][1], *[""] * 4]
    assert (total[4], total[7]) == (str(len(punches)), "1" if marks else "")
    shown = await browser.get(f"/attendance/check?{SPAN}")
    assert ("There is nothing to check" in text_of(shown)) is not bool(marks)
    month = text_of(await browser.get("/attendance/people/7?month=2026-02"))
    assert ("1 day with one punch only" in month) is ("one punch" in marks)
    assert ("or another odd number" in month) is ("odd number" in marks)


@pytest_twisted.ensureDeferred
async def test_the_day_marks_repeats(rig: Rig) -> None:
    """Each that follows within a minute, beside its time."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "7", "Ann Ash")
    times = ("08:00:00", "08:00:08", "17:00:00")
    await punch(rig, *(line("7", f"{DAY} {time}", int(time > "12")) for time in times))
    browser = await signed_in(rig)
    shown = await browser.get(f"/attendance/people/7/{DAY}")
    assert ["again within a minute" in one for one in rows(shown)] == [False, True, False]
    book = sheets((await browser.get(f"/attendance/days.xlsx?{SPAN}")).body)
    assert "within a minute repeats it" in str(book["Notes"])


@pytest_twisted.ensureDeferred
async def test_the_day_leads_to_the_lines_that_could_not_be_read(rig: Rig) -> None:
    """As the list of days to check does."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "7", "Ann Ash")
    await punch(rig, f"7\t{DAY} 25:99:00\t0\t1\t0\t0\t0\t255\t\t\n")
    browser = await signed_in(rig)
    shown = await browser.get(f"/attendance/people/7/{DAY}")
    link = '<a href="/console/rejects?table=ATTLOG">Look at the line that the terminal sent'
    assert link in shown.body.decode()


@pytest_twisted.ensureDeferred
async def test_the_day_says_that_nobody_has_the_user_id(rig: Rig) -> None:
    """As the list of days to check does; so does the month."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await punch(rig, *(line("7", f"{DAY} {time}:00:00", int(time > "12")) for time in ("08", "17")))
    browser = await signed_in(rig)
    shown = await browser.get(f"/attendance/people/7/{DAY}")
    assert "nobody here has this user ID" in text_of(shown)
    assert '<a href="/console/people/new?pin=7">Add the person' in shown.body.decode()
    month = "/attendance/people/7?month=2026-02"
    assert text_of(await browser.get(month)).count("nobody here has this user ID") == 1
    await person(rig, "7", "Ann Ash")
    for path in (f"/attendance/people/7/{DAY}", month):
        assert "nobody here has" not in text_of(await browser.get(path))


@pytest_twisted.ensureDeferred
async def test_hours_are_those_that_have_passed(rig: Rig) -> None:
    """Also in the night in which clocks are put back, or forward."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await person(rig, "7", "Ann Ash")
    for day in ("2025-03-30", "2025-10-26", "2025-10-27"):
        await punch(rig, line("7", f"{day} 01:00:00"), line("7", f"{day} 06:00:00", 1))
    query = "first=2025-03-01&last=2025-10-31&timezone=Europe/Madrid"
    found = (await rig.api("GET", f"/attendance/days?{query}")).json["items"]
    assert [one["seconds"] // 3600 for one in found] == [4, 6, 5]
    assert {one["last"] for one in found} == {"06:00:00"}
    browser = await signed_in(rig)
    await browser.send("/account", "/account", {"zone": "Europe/Madrid"})
    assert "6:00" in text_of(await browser.get("/attendance/people/7/2025-10-26"))


@pytest_twisted.ensureDeferred
async def test_there_is_no_month_before_the_first_one(rig: Rig) -> None:
    """Nor one after the last."""
    await person(rig, "7", "Ann Ash")
    browser = await signed_in(rig)
    for month, status in (("0001-01", 404), ("0001-02", 200), ("9999-11", 200), ("9999-12", 404)):
        assert (await browser.get(f"/attendance/people/7?month={month}")).status == status
