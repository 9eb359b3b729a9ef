"""The list of days that a payroll clerk has to check."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.handlers.attendance import checking, checkpages
from zkpush.manage.console import sheets

from ..rig import Response, Rig
from .browser import Browser, document, signed_in, text_of
from .test_another_persons_punches import YES, two_people
from .test_attendance import line, person, punch, rows
from .test_payroll import cells

FEBRUARY = "since=2026-02-01&until=2026-02-28"


def listed(shown: Response) -> list[str]:
    """The rows of the list, which may be empty."""
    return rows(shown) if document(shown).findall(".//tbody") else []


async def _filled(rig: Rig) -> Browser:
    """A day of each kind, and days without anything to check."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "9", "Bob Birch")
    await person(rig, "10", "Ann Ash")
    kept = [("10", "02 08:00", 0), ("10", "02 16:30", 1), ("9", "04 08:00", 255)]
    kept += [("9", "04 17:00", 255), ("10", "04 07:00", 0), ("10", "04 15:00", 1)]
    odd = [("9", "02 09:00", 0), ("10", "03 08:00", 0), ("10", "03 12:00", 1)]
    odd += [("10", "03 17:15", 1), ("9", "03 08:00", 0), ("9", "03 16:00", 0)]
    lines = [line(pin, f"2026-02-{time}:00", state) for pin, time, state in kept + odd]
    await punch(rig, *lines, "9\t2026-02-05 25:99:00\t0\t1\t0\t0\t0\t255\t\t\n")
    return await signed_in(rig)


@pytest_twisted.ensureDeferred
async def test_days_with_something_to_check_are_listed_with_what_to_do(rig: Rig) -> None:
    """The last day first, then by user ID; each leads to the day."""
    browser = await _filled(rig)
    shown = await browser.get(f"/attendance/check?{FEBRUARY}")
    assert [re.split(" (?:Ask|Compare|Look|The punch) ", one)[0] for one in rows(shown)] == [
        "Thu 5 Feb 2026 Bob Birch 9 unreadable punch",
        "Tue 3 Feb 2026 Bob Birch 9 08:00, 16:00 no check-out",
        "Tue 3 Feb 2026 Ann Ash 10 08:00, 12:00, 17:15 odd number of punches",
        "Mon 2 Feb 2026 Bob Birch 9 09:00 one punch only",
    ]
    assert "Ask when the person left" in rows(shown)[1]
    found = re.findall(r'href="/console(/attendance/people/9/[0-9-]+)"', shown.body.decode())
    assert found == [f"/attendance/people/9/2026-02-0{day}" for day in (5, 3, 2)]
    for path in found:
        assert (await browser.get(path)).status == 200
    assert b'href="/console/rejects?table=ATTLOG"' in shown.body
    nothing = await browser.get("/attendance/check?since=2026-02-04&until=2026-02-04")
    assert "There is nothing to check on these days." in text_of(nothing)


@pytest.mark.parametrize(
    ("mark", "days"),
    [
        ("one+punch", 1),
        ("odd+number", 1),
        ("no+check-out", 1),
        ("unreadable", 1),
        ("doubtful+time", 0),
        ("other+person", 0),
    ],
)
@pytest_twisted.ensureDeferred
async def test_one_kind_is_listed_alone(rig: Rig, mark: str, days: int) -> None:
    """On the page and in the file."""
    browser = await _filled(rig)
    query = f"{FEBRUARY}&mark={mark}"
    assert (
        len(document(await browser.get(f"/attendance/check?{query}")).findall(".//tbody/tr"))
        == days
    )
    _, *found = cells((await browser.get(f"/attendance/check.csv?{query}")).body)
    assert len([one for one in found if one and one[0].startswith("2026")]) == days


@pytest_twisted.ensureDeferred
async def test_the_marks_are_those_of_the_month(rig: Rig) -> None:
    """A day is listed if, and only if, the month of the person marks it."""
    browser = await _filled(rig)
    kinds = re.compile("one punch only|odd number of punches|no check-out|doubtful time")
    months = {
        (pin, one.split(" 2026")[0]): kinds.findall(one)
        for pin in ("9", "10")
        for one in rows(await browser.get(f"/attendance/people/{pin}?month=2026-02"))
        if kinds.search(one)
    }
    listed = {
        (pin, one.split(" 2026")[0]): kinds.findall(one.split(" Ask ")[0].split(" Compare ")[0])
        for one in rows(await browser.get(f"/attendance/check?{FEBRUARY}"))
        for pin in re.findall(r" (9|10) [0-9u]", one)[:1]
        if kinds.search(one)
    }
    assert listed == months
    assert len(months) == 3


@pytest_twisted.ensureDeferred
async def test_the_list_goes_on_from_page_to_page(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the pages end: when they are full, or when enough was looked at."""
    browser = await _filled(rig)
    whole = rows(await browser.get(f"/attendance/check?{FEBRUARY}"))
    for module, name, value in (
        (checkpages, "ROWS", 1),
        (checking, "MOST_PUNCHES", 1),
        (checking, "MOST_DAYS", 1),
        (checking, "AT_ONCE", 1),
    ):
        monkeypatch.setattr(module, name, value)
        found: list[str] = []
        path = f"/attendance/check?{FEBRUARY}"
        while path:
            shown = await browser.get(path)
            found += listed(shown)
            links = re.findall(
                r'href="/console(/attendance/check\?[^"]*past=[^"]*)"', shown.body.decode()
            )
            path = links[0].replace("&amp;", "&") if links else ""
        # A day of many punches is cut by the text of the user IDs, where 10 comes before 9.
        assert found == whole or (name == "MOST_PUNCHES" and sorted(found) == sorted(whole)), name
        _, *lines = cells((await browser.get(f"/attendance/check.csv?{FEBRUARY}")).body)
        assert len([one for one in lines if one and one[0].startswith("2026")]) == len(whole)
        monkeypatch.undo()
    for wrong in ("2026-02-30%09%09%09", "2026-02-02", "x", "2026-02-02%09%09%09%00"):
        assert (await browser.get(f"/attendance/check?{FEBRUARY}&past={wrong}")).status in (
            400,
            404,
        )


@pytest_twisted.ensureDeferred
async def test_a_page_goes_on_in_the_slice_of_the_one_before(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the day would be cut in another way by now."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await punch(rig, *(line(pin, "2026-02-02 08:00:00") for pin in ("9", "10", "11")))
    browser = await signed_in(rig)
    monkeypatch.setattr(checkpages, "ROWS", 1)
    monkeypatch.setattr(checking, "MOST_PUNCHES", 1)
    found: list[str] = []
    path = f"/attendance/check?{FEBRUARY}"
    while path:
        shown = await browser.get(path)
        found += listed(shown)
        pages = re.findall(
            r'href="/console(/attendance/check\?[^"]*past=[^"]*)"', shown.body.decode()
        )
        path = pages[0].replace("&amp;", "&") if pages else ""
        monkeypatch.setattr(checking, "MOST_PUNCHES", 1000)
    assert sorted(one.split()[4] for one in found) == ["10", "11", "9"]


@pytest_twisted.ensureDeferred
async def test_today_is_not_over(rig: Rig) -> None:
    """One punch of today is nothing to check yet; the list begins with the days before it."""
    browser = await _filled(rig)
    await punch(rig, line("10", "2026-03-01 08:00:00"), line("10", "2026-02-27 08:00:00"))
    shown = await browser.get("/attendance/check")
    assert "Fri 27 Feb 2026 Ann Ash 10 08:00" in text_of(shown)
    assert "Sun 1 Mar 2026 Ann Ash" not in text_of(shown)
    month = await browser.get("/attendance/check?period=this-month")
    assert "Today is not listed, since the day is not over." in text_of(month)
    assert listed(month) == []


@pytest_twisted.ensureDeferred
async def test_an_area_is_that_of_people_whose_punches_are_all_counted(rig: Rig) -> None:
    """Somebody who comes at one terminal and leaves at another of another area is not odd."""
    for sn, area in (("T1", "North"), ("T2", "South")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"timezone": "UTC", "area": area})
    await punch(rig, line("1", "2026-02-02 08:00:00"), line("2", "2026-02-02 08:00:00"))
    await punch(rig, line("1", "2026-02-02 17:00:00", 1), line("3", "2026-02-02 08:00:00"), sn="T2")
    for pin in ("1", "2", "3"):
        await rig.api("PUT", f"/users/{pin}", {})
    browser = await signed_in(rig)

    async def pins(by: Browser, more: str = "") -> list[str]:
        shown = listed(await by.get(f"/attendance/check?{FEBRUARY}{more}"))
        return [one.removeprefix("Mon 2 Feb 2026 ").split(" ")[0] for one in shown]

    assert await pins(browser) == ["2", "3"]
    assert await pins(browser, "&area=North") == ["2"]
    assert await pins(browser, "&area=South") == ["3"]
    assert (await browser.get(f"/attendance/check?{FEBRUARY}&area=West")).status == 200
    sue = await signed_in(rig, name="sue", areas=["South"])
    assert await pins(sue) == ["1", "3"]
    assert b"/attendance/people/1" not in (await sue.get(f"/attendance/check?{FEBRUARY}")).body


@pytest_twisted.ensureDeferred
async def test_days_are_those_of_the_reader_and_of_terminals_without_a_zone(rig: Rig) -> None:
    """Doubtful times are listed on the day that the page of the person shows them on."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "Pacific/Kiritimati"})
    times = ("2026-02-03 13:30:00", "2026-02-03 14:30:00", "2026-02-04 13:00:00")
    await punch(rig, *(line("1", one) for one in times))
    await rig.exchange("T2")
    await rig.api("PATCH", "/devices/T2", {"timezone": None})
    await punch(rig, line("2", "2026-02-28 23:30:00"), line("2", "2026-02-28 08:30:00"), sn="T2")
    for pin in ("1", "2"):
        await rig.api("PUT", f"/users/{pin}", {})
    browser = await signed_in(rig)
    shown = rows(await browser.get(f"/attendance/check?{FEBRUARY}"))
    assert [re.split(" (?:Ask|The punch) ", one)[0] for one in shown] == [
        "Sat 28 Feb 2026 2 08:30, 23:30 no check-out doubtful time",
        "Tue 3 Feb 2026 1 00:30, 23:00 no check-out",
        "Mon 2 Feb 2026 1 23:30 one punch only",
    ]


@pytest_twisted.ensureDeferred
async def test_a_workbook_has_a_limit_of_rows(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of the payroll sheet; CSV has none."""
    browser = await _filled(rig)
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    path = f"/attendance/check.xlsx?{FEBRUARY}"
    refused = await browser.get(path)
    assert (refused.status, "These are more than 3 records." in text_of(refused)) == (400, True)
    assert (await browser.get(f"/attendance/check.csv?{FEBRUARY}")).status == 200
    monkeypatch.setattr(sheets, "MOST_ROWS", 200)
    assert (await browser.get(path)).status == 200


@pytest_twisted.ensureDeferred
async def test_wrong_periods_are_asked_for_again(rig: Rig) -> None:
    """The list needs both ends, at most a year."""
    browser = await _filled(rig)
    for query in ("since=2026-02-01", "since=2020-01-01&until=2026-01-01", "until=9999-12-31"):
        shown = await browser.get(f"/attendance/check?{query}")
        assert "Choose a period with a first and a last day" in text_of(shown)
        assert (await browser.get(f"/attendance/check.csv?{query}")).status == 400
    far = await browser.get("/attendance/check?since=9999-12-30&until=9999-12-31")
    assert "This is not a date" in text_of(far)


@pytest_twisted.ensureDeferred
async def test_attendance_leads_to_the_days_to_check_of_its_period(rig: Rig) -> None:
    """With its area; today alone has none, and the usual days are meant."""
    browser = await _filled(rig)
    assert '"/console/attendance/check?"' in (await browser.get("/attendance")).body.decode()
    shown = (await browser.get(f"/attendance?{FEBRUARY}&area=default")).body.decode()
    assert (
        "/console/attendance/check?since=2026-02-01&amp;until=2026-02-28&amp;area=default" in shown
    )
    assert (
        "/attendance/check?"
        not in (await browser.get("/attendance?since=2026-02-01")).body.decode()
    )


@pytest_twisted.ensureDeferred
async def test_the_start_page_says_how_many_days_of_the_last_week_there_are(rig: Rig) -> None:
    """Nothing without any, and none of today; there may be too many to count."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await punch(
        rig,
        *(line("1", f"2026-02-27 {hour}:00:00", state) for hour, state in (("08", 0), ("16", 1))),
        line("1", "2026-03-01 08:00:00"),
        line("1", "2026-02-21 08:00:00"),
    )
    for pin in "123":
        await rig.api("PUT", f"/users/{pin}", {})
    browser = await signed_in(rig)
    words = "in the last 7 days on which a punch may be missing or wrong"
    assert words not in text_of(await browser.get("/"))
    await punch(rig, line("2", "2026-02-28 08:00:00"), line("3", "2026-02-22 08:00:00"))
    shown = await browser.get("/")
    assert f"2 days of people {words}" in text_of(shown)
    (found,) = re.findall(r'href="/console(/attendance/check[^"]*)"', shown.body.decode())
    assert len(listed(await browser.get(found.replace("&amp;", "&")))) == 2
    sue = await signed_in(rig, name="sue", areas=["South"])
    assert words not in text_of(await sue.get("/"))


@pytest_twisted.ensureDeferred
async def test_many_days_are_not_counted_to_the_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start page says that there are more, or no number."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await punch(rig, *(line(str(pin), "2026-02-27 08:00:00") for pin in range(1, 8)))
    browser = await signed_in(rig)
    monkeypatch.setattr(checking, "MOST_RECENT", 3)
    assert "more than 3 days of people in the last 7 days" in text_of(await browser.get("/"))
    monkeypatch.setattr(checking, "MOST_PUNCHES", 1)
    assert "Days of people in the last 7 days" in text_of(await browser.get("/"))


@pytest_twisted.ensureDeferred
async def test_punches_of_a_disputed_claim_are_listed_until_they_are_decided(rig: Rig) -> None:
    """With the way to the decision."""
    action = await two_people(rig)
    rig.clock.advance(24 * 3600)
    browser = await signed_in(rig)
    path = "/attendance/check?since=2026-02-28&until=2026-03-31&mark=other+person"
    (row,) = listed(shown := await browser.get(path))
    assert "may be another person's" in row
    assert b'href="/console/attendance/people/7?month=2026-03#others"' in shown.body
    await browser.send("/people/7", action, {"keep": "stored", "punches": "other", **YES})
    assert listed(await browser.get(path)) == []
