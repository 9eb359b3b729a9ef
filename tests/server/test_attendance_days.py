"""The payroll sheet of the API: a row for each person and day."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import pytest
import pytest_twisted

from zkpush.manage.console import sheets
from zkpush.manage.console.sheets import XLSX

from ..console.browser import signed_in
from ..console.test_attendance import line, person, punch
from ..console.test_payroll import sheets as sheets_of
from ..promises.limited import MINE, OTHER, plant
from ..rig import TOKEN, Rig

FEBRUARY = "first=2026-02-01&last=2026-02-28"


def accepting(kind: str) -> tuple[str, ...]:
    """The headers of a request for a file."""
    return f"Authorization: Bearer {TOKEN}", f"Accept: {kind}"


async def filled(rig: Rig) -> None:
    """Two people, three days."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "10", "Ann Ash")
    await person(rig, "9", "Bob Birch")
    times = [("10", "02 08:00", 0), ("10", "02 16:30", 1), ("9", "02 09:00", 0)]
    times += [("9", "01 08:00", 0), ("9", "01 12:00", 1), ("9", "01 17:15", 1)]
    await punch(rig, *(line(pin, f"2026-02-{time}:00", state) for pin, time, state in times))


async def days(rig: Rig, query: str = FEBRUARY) -> list[dict[str, Any]]:
    """The days of a query."""
    reply = await rig.api("GET", f"/attendance/days?{query}")
    assert reply.status == 200, reply.raw
    return list(reply.json["items"])


@pytest_twisted.ensureDeferred
async def test_a_row_is_a_day_of_a_person(rig: Rig) -> None:
    """By user ID and day, with what there is to check."""
    await filled(rig)
    found = await days(rig)
    assert [(one["pin"], one["day"], one["punches"], one["minutes"]) for one in found] == [
        ("9", "2026-02-01", 3, 555),
        ("9", "2026-02-02", 1, None),
        ("10", "2026-02-02", 2, 510),
    ]
    assert found[0] == {
        "pin": "9",
        "name": "Bob Birch",
        "left": False,
        "erased": False,
        "day": "2026-02-01",
        "first": "08:00:00",
        "last": "17:15:00",
        "punches": 3,
        "minutes": 555,
        "doubtful_minutes": 0,
        "to_check": ["odd number"],
        "others": 0,
        "not_counted": 0,
        "seconds": 33_300,
        "doubtful_seconds": 0,
    }
    assert [one["to_check"] for one in found] == [["odd number"], ["one punch"], []]
    assert len(await days(rig, f"{FEBRUARY}&to_check=true")) == 2
    assert [one["pin"] for one in await days(rig, f"{FEBRUARY}&pin=10&device=T1")] == ["10"]
    assert await days(rig, "first=2026-02-03&last=2026-02-28") == []


@pytest_twisted.ensureDeferred
async def test_the_last_part_has_the_people_without_punches(rig: Rig) -> None:
    """Whom the filter includes."""
    await filled(rig)
    await person(rig, "11", "Cem Cedar")

    async def without(query: str) -> list[tuple[str, str]]:
        reply = await rig.api("GET", f"/attendance/days?{query}")
        return [(one["pin"], one["name"]) for one in reply.json["without_punches"]]

    cem = ("11", "Cem Cedar")
    assert await without(FEBRUARY) == [cem]
    assert await without(f"{FEBRUARY}&limit=1") == []
    assert await without("first=2026-02-01&last=2026-02-01&pin=11") == [cem]
    every = [("9", "Bob Birch"), ("10", "Ann Ash"), cem]
    assert await without("first=2026-02-03&last=2026-02-28") == every
    # Ann began on the second day.
    assert await without("first=2026-02-01&last=2026-02-01") == [cem]
    assert await without(f"{FEBRUARY}&pin=9") == []
    for more in ("&device=T1", "&to_check=true"):
        assert await without(f"{FEBRUARY}{more}") == []


@pytest_twisted.ensureDeferred
async def test_days_begin_in_the_zone_that_is_asked_for(rig: Rig) -> None:
    """Or in that of the site."""
    await filled(rig)
    found = await days(rig, f"{FEBRUARY}&timezone=Pacific/Kiritimati&pin=10")
    assert [(one["day"], one["first"]) for one in found] == [
        ("2026-02-02", "22:00:00"),
        ("2026-02-03", "06:30:00"),
    ]
    browser = await signed_in(rig)
    await browser.send("/settings", "/settings/zone", {"zone": "Asia/Tokyo"})
    assert [one["day"] for one in await days(rig, f"{FEBRUARY}&pin=10")] == [
        *("2026-02-02", "2026-02-03")
    ]


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest_twisted.ensureDeferred
async def test_pages_go_on_where_the_one_before_ended(rig: Rig, limit: int) -> None:
    """Also within the days of a person."""
    await filled(rig)
    whole, found, past = await days(rig), [], ""
    for _ in range(-(-3 // limit)):
        reply = await rig.api("GET", f"/attendance/days?{FEBRUARY}&limit={limit}{past}")
        found += reply.json["items"]
        past = f"&past={quote(reply.json['next'] or '')}"
    assert reply.json["next"] is None
    assert found == whole


@pytest_twisted.ensureDeferred
async def test_files_have_the_same_days(rig: Rig) -> None:
    """CSV and lines of JSON; the workbook is that of the console, in English."""
    await filled(rig)
    await punch(rig, "9\t2026-02-03 25:99:00\t0\t1\t0\t0\t0\t255\t\t\n")
    path, whole = f"/attendance/days?{FEBRUARY}", await days(rig)
    text = await rig.api("GET", path, headers=accepting("text/csv"))
    rows = [*csv.DictReader(io.StringIO(text.body.decode()))]
    assert [(one["pin"], one["day"], one["to_check"]) for one in rows] == [
        (one["pin"], one["day"], ", ".join(one["to_check"])) for one in whole
    ]
    lines = await rig.api("GET", path, headers=accepting("application/x-ndjson"))
    assert [json.loads(one) for one in lines.body.splitlines()] == whole
    book = await rig.api("GET", path, headers=accepting(XLSX))
    found = sheets_of(book.body)
    assert [*found] == ["Payroll", "Totals", "Notes"]
    browser = await signed_in(rig)
    shown = await browser.get("/attendance/days.xlsx?since=2026-02-01&until=2026-02-28")
    assert sheets_of(shown.body) == found
    for reply in (text, lines, book):
        assert b"\r\nX-Unread-Lines: 1\r\n" in reply.raw
    assert (await rig.api("GET", path)).json["unread"] == [
        {"device": "T1", "lines": 1, "is_least": False}
    ]
    audit = [one for one in await rig.items("/audit") if one["action"] == "export"]
    assert len(audit) == 4


@pytest_twisted.ensureDeferred
async def test_mistakes_are_named(rig: Rig) -> None:
    """Days, zone, terminal, area and cursor."""
    await filled(rig)
    for query, words in (
        ("first=", "first: "),
        ("first=2026-02-30&last=2026-02-28", "is not a day such as 2026-03-01"),
        ("first=2026-02-02&last=2026-02-01", "the last day is before the first one"),
        ("first=2025-01-01&last=2026-02-01", "at most 366 days"),
        (f"{FEBRUARY}&timezone=Mars", "timezone: "),
        (f"{FEBRUARY}&device=T2", "There is no terminal 'T2'"),
        (f"{FEBRUARY}&area=North", "There is no area"),
        (f"{FEBRUARY}&past=7", "is not a cursor of this list"),
    ):
        reply = await rig.api("GET", f"/attendance/days?{query}")
        assert reply.status == 400, query
        assert words in reply.json["detail"], query


@pytest_twisted.ensureDeferred
async def test_a_workbook_has_a_limit(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the punches and of the people times the days, whichever is less; CSV has none."""
    await filled(rig)
    path, headers = f"/attendance/days?{FEBRUARY}", accepting(XLSX)
    monkeypatch.setattr(sheets, "MOST_ROWS", 5)
    reply = await rig.api("GET", path, headers=headers)
    assert reply.status == 400
    assert "These are more than 5 records." in reply.json["detail"]
    browser = await signed_in(rig)
    assert (
        await browser.get("/attendance/days.xlsx?since=2026-02-01&until=2026-02-28")
    ).status == 400
    for query in ("first=2026-02-01&last=2026-02-02", f"{FEBRUARY}&pin=10"):
        reply = await rig.api("GET", f"/attendance/days?{query}", headers=headers)
        assert reply.status == 200, query


@pytest_twisted.ensureDeferred
async def test_limited_callers_see_their_areas(rig: Rig) -> None:
    """Another area and its terminals are as if they did not exist."""
    planted = await plant(rig)
    path = "/attendance/days?first=2026-02-01&last=2026-03-31"
    mine = await planted.ask("GET", path)
    every = await rig.api("GET", path)
    assert {one["pin"] for one in mine.json["items"]} < {one["pin"] for one in every.json["items"]}
    assert "99177" not in mine.body.decode()
    for query, status in ((f"&device={MINE}", 200), (f"&device={OTHER}", 400)):
        assert (await planted.ask("GET", path + query)).status == status
    for query, status in (("&area=North", 200), ("&area=Southside", 400)):
        assert (await planted.ask("GET", path + query)).status == status
