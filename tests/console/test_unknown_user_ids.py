"""Punches under user IDs that nobody here has."""

from __future__ import annotations

import csv
import io

import pytest_twisted

from ..rig import Rig
from ..server.test_jobs_of_areas import limited
from .browser import document, signed_in, text_of
from .test_attendance import line, person, punch, rows
from .walk import english_left

NOBODY = "nobody here has this user ID"
PERIOD = "since=2026-02-25&until=2026-03-01"
DAYS = "first=2026-02-25&last=2026-03-01"


async def some_punches(rig: Rig) -> None:
    """Two people here, one without a name; one who left, one who is erased, and a stranger."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "1", "Ann Ash")
    await rig.api("PUT", "/users/2", {})
    await person(rig, "3", "Left")
    await person(rig, "4", "Erased")
    days = ("2026-02-27 08:00:00", "2026-02-27 17:00:00", "2026-03-01 08:00:00")
    await punch(rig, *(line(pin, day) for pin in "12349" for day in days))
    await rig.api("DELETE", "/users/3")
    await rig.api("DELETE", "/users/4?erase=true")


@pytest_twisted.ensureDeferred
async def test_punches_under_a_user_id_that_nobody_has_are_marked(either: Rig) -> None:
    """In lists, files and the feed; not those of people without a name, who left or are erased."""
    rig = either
    await some_punches(rig)
    browser = await signed_in(rig)
    found = rows(await browser.get(f"/attendance?{PERIOD}"))
    assert len(found) == 15
    assert [one for one in found if NOBODY in one] == [one for one in found if " 9 " in one]
    body = (await browser.get(f"/attendance?{PERIOD}")).body.decode()
    assert body.count('href="/console/people/new?pin=9"') == 3
    exported = await browser.get(f"/attendance/export.csv?{PERIOD}")
    _, *lines = csv.reader(io.StringIO(exported.body.decode("utf-8-sig")))
    assert {row[2] for row in lines if NOBODY in row} == {"9"}
    start = (await browser.get("/")).body.decode()
    feed = start.split('id="feed"')[1]
    assert feed.count(NOBODY) == 3
    await person(rig, "9", "Nina New")
    assert NOBODY not in text_of(await browser.get(f"/attendance?{PERIOD}"))


@pytest_twisted.ensureDeferred
async def test_the_payroll_sheet_says_to_check_them(rig: Rig) -> None:
    """As the API does, and the list of days to check, where they can be chosen alone."""
    await some_punches(rig)
    browser = await signed_in(rig)
    sheet = await browser.get(f"/attendance/days.csv?{PERIOD}")
    heading, *found = csv.reader(io.StringIO(sheet.body.decode("utf-8-sig")))
    check, pin = heading.index("To check"), heading.index("User ID")
    assert {one[pin] for one in found if NOBODY in one[check]} == {"9"}
    days = (await rig.api("GET", f"/attendance/days?{DAYS}")).json["items"]
    assert {one["pin"] for one in days if "nobody" in one["to_check"]} == {"9"}
    listed = rows(await browser.get(f"/attendance/check?{PERIOD}&mark=nobody"))
    assert [one[:16].strip() for one in listed] == ["Sun 1 Mar 2026 9", "Fri 27 Feb 2026"]
    assert all("Add the person" in one for one in listed)


@pytest_twisted.ensureDeferred
async def test_the_start_page_counts_the_user_ids_and_links_to_their_days(rig: Rig) -> None:
    """Also those of today; nothing once somebody has them."""
    await some_punches(rig)
    await punch(rig, line("8", "2026-03-01 09:00:00"))
    browser = await signed_in(rig)
    start = await browser.get("/")
    assert "today under 2 user IDs that nobody here has" in text_of(start)
    (link,) = [
        href
        for one in document(start).iter("a")
        if "mark=nobody" in (href := one.get("href") or "")
    ]
    listed = rows(await browser.get(link.removeprefix("/console")))
    assert len(listed) == 3
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get("/"))) == []
    await browser.get("/?lang=en")
    for pin in "89":
        await person(rig, pin, "Nina New")
    assert "that nobody here has" not in text_of(await browser.get("/"))


@pytest_twisted.ensureDeferred
async def test_the_form_of_a_new_person_has_the_user_id(rig: Rig) -> None:
    """The link enters it; what somebody has typed stays."""
    browser = await signed_in(rig)
    shown = await browser.get("/people/new?pin=9")
    (field,) = [one for one in document(shown).iter("input") if one.get("name") == "pin"]
    assert field.get("value") == "9"


@pytest_twisted.ensureDeferred
async def test_a_limited_account_sees_no_mark_on_people_of_other_areas(rig: Rig) -> None:
    """Somebody here has their user IDs."""
    await some_punches(rig)
    await rig.api("PATCH", "/devices/T1", {"area": "North"})
    await rig.api("PUT", "/users/1", {"areas": ["South"]})
    headers = await limited(rig, "North")
    days = (await rig.api("GET", f"/attendance/days?{DAYS}", headers=headers)).json["items"]
    marked = {one["pin"] for one in days if "nobody" in one["to_check"]}
    assert marked == {"9"}
