"""People who were removed from the list: their names stay with their past punches."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest_twisted

from ..rig import Rig
from .browser import hidden_of, location, signed_in, text_of
from .test_attendance import line, person, punch, rows


async def _left(rig: Rig) -> None:
    """Store two people with punches, and remove one of them."""
    await rig.exchange("T1")
    for pin, name in (("7", "Élodie Cedar"), ("8", "Ann Ash")):
        await person(rig, pin, name)
        await punch(rig, line(pin, "2026-03-01 08:00:00"))
    assert (await rig.api("DELETE", "/users/7")).status == 200


@pytest_twisted.ensureDeferred
async def test_the_name_of_who_left_stays_with_past_punches(rig: Rig) -> None:
    """Lists, files, searches and the month have it; the person is shown as left."""
    await _left(rig)
    browser = await signed_in(rig)
    listed = rows(await browser.get("/attendance"))
    assert "08:00:00 Élodie Cedar 7 left Check in T1 Only fingerprint" in listed
    assert "08:00:00 Ann Ash 8 Check in T1 Only fingerprint" in listed
    for text in ("elodie", "7"):
        assert len(rows(await browser.get(f"/attendance?person={text}"))) == 1
    sheet = await browser.get("/attendance/export.csv?person=cedar")
    assert ",7,Élodie Cedar," in sheet.body.decode()
    book = await browser.get("/attendance/export.xlsx?person=cedar")
    with zipfile.ZipFile(io.BytesIO(book.body)) as parts:
        assert any("Élodie Cedar" in parts.read(one).decode() for one in parts.namelist())
    for path in ("/attendance/people/7?month=2026-03", "/attendance/people/7/2026-03-01"):
        assert "Élodie Cedar ID 7 left" in text_of(await browser.get(path))
    assert "Élodie Cedar" in text_of(await browser.get("/"))
    named = await rig.api("GET", "/names?pins=7,8")
    assert named.json["names"] == {"7": "Élodie Cedar", "8": "Ann Ash"}


@pytest_twisted.ensureDeferred
async def test_files_mark_who_left(rig: Rig) -> None:
    """A column of the exports says it."""
    await _left(rig)
    browser = await signed_in(rig)
    sheet = (await browser.get("/attendance/export.csv")).body.decode("utf-8-sig")
    heading, *found = csv.reader(io.StringIO(sheet))
    assert sorted((one[2], one[heading.index("Left")]) for one in found) == [
        ("7", "left"),
        ("8", ""),
    ]


@pytest_twisted.ensureDeferred
async def test_people_who_left_are_listed(rig: Rig) -> None:
    """With those whose user ID somebody else has; a search in People leads there."""
    await _left(rig)
    assert (await rig.api("DELETE", "/users/8")).status == 200
    rig.clock.advance(60)
    await person(rig, "8", "Bob Birch")
    browser = await signed_in(rig)
    shown = await browser.get("/people/left")
    assert [one.partition(" Sun")[0] for one in rows(shown)] == [
        "Élodie Cedar 7",
        "Ann Ash 8 somebody else has it now",
    ]
    html = shown.body.decode()
    assert "/console/attendance/people/7" in html
    assert "/console/people/7/remove" in html
    assert "/console/attendance/people/8/earlier/" in html
    assert [one[:7] for one in rows(await browser.get("/people/left?q=ash"))] == ["Ann Ash"]
    found = await browser.get("/people?q=elodie")
    assert "1 person who left is found, too." in text_of(found)
    assert "/console/people/left?q=elodie" in found.body.decode()
    clerk = await signed_in(rig, "read", name="bob")
    assert "Erase everywhere" not in text_of(await clerk.get("/people/left"))
    limited = await signed_in(rig, "read", name="eve", areas=["North"])
    assert "Nobody has left." in text_of(await limited.get("/people/left"))


@pytest_twisted.ensureDeferred
async def test_who_is_limited_sees_the_names_of_who_left_their_areas(rig: Rig) -> None:
    """People who left other areas are not named."""
    await rig.exchange("T1")
    for pin, area in (("7", "North"), ("8", "South")):
        assert (await rig.api("PUT", f"/users/{pin}", {"name": area, "areas": [area]})).status < 300
        await punch(rig, line(pin, "2026-03-01 08:00:00"))
        assert (await rig.api("DELETE", f"/users/{pin}")).status == 200
    await rig.api("PATCH", "/devices/T1", {"area": "North", "timezone": "UTC"})
    browser = await signed_in(rig, "read", name="bob", areas=["North"])
    shown = await browser.get("/attendance")
    assert sorted(rows(shown)) == [
        "08:00:00 8 Check in T1 Only fingerprint",
        "08:00:00 North 7 left Check in T1 Only fingerprint",
    ]
    assert len(rows(await browser.get("/attendance?person=north"))) == 1
    assert "Nobody has" in text_of(await browser.get("/attendance?person=south"))


@pytest_twisted.ensureDeferred
async def test_who_left_can_be_erased(rig: Rig) -> None:
    """The page of removal says what stays; an erasure later takes the name away as well."""
    await _left(rig)
    browser = await signed_in(rig)
    assert "Past punches keep the user ID and the name" in text_of(
        await browser.get("/people/8/remove")
    )
    assert "/console/people/7/remove" in (await browser.get("/attendance/people/7")).body.decode()
    done = await browser.send("/people/7/remove", "/people/7/erase", {"confirm": "7"})
    assert location(done) == "/people/7/remove"
    listed = rows(await browser.get("/attendance"))
    assert "08:00:00 7 erased person Check in T1 Only fingerprint" in listed
    assert "Nobody has" in text_of(await browser.get("/attendance?person=cedar"))
    assert (await rig.api("GET", "/names?pins=7")).json["names"] == {}


@pytest_twisted.ensureDeferred
async def test_who_comes_back_is_not_shown_as_left(rig: Rig) -> None:
    """Somebody who is added under the user ID again takes its place."""
    await _left(rig)
    await person(rig, "7", "Élodie Cedar")
    browser = await signed_in(rig)
    listed = rows(await browser.get("/attendance"))
    assert "08:00:00 Élodie Cedar 7 Check in T1 Only fingerprint" in listed


@pytest_twisted.ensureDeferred
async def test_punches_that_an_erasure_has_left_are_erased_later(rig: Rig) -> None:
    """The page says that they stay, names terminals with the person, and offers to erase them."""
    await _left(rig)
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", b"USER PIN=8\tName=Ann Ash\tPri=0\n")
    browser = await signed_in(rig)
    page, action = "/people/8/remove", "/people/8/erase"
    assert location(await browser.send(page, action, {"confirm": "8"})) == page
    shown = await browser.get(page)
    assert "The punches stay under the user ID" in text_of(shown)
    (told,) = rows(shown)
    assert told.startswith("T1 not done yet")
    assert "/console/commands/" in shown.body.decode()
    month = (await browser.get("/attendance/people/8")).body.decode()
    assert f"/console{page}" in month
    ((_, hidden),) = [one for one in hidden_of(shown) if one[0].endswith(action)]
    fields = dict(hidden)
    assert (await browser.post(action, {**fields, "confirm": "7"})).status == 422
    assert len(await rig.items("/attendance?pin=8")) == 1
    assert location(await browser.post(action, {**fields, "confirm": "8"})) == page
    assert await rig.items("/attendance?pin=8") == []
    assert "so are the punches" in text_of(await browser.get(page))
    again = await browser.post(action, {**fields, "confirm": "8"})
    assert again.status in (303, 404), "what is gone already"
    actions = [one["action"] for one in await rig.items("/audit")]
    assert actions.count("erase person") >= 2


@pytest_twisted.ensureDeferred
async def test_who_may_not_erase_gets_no_page_for_a_user_id_that_nobody_has(rig: Rig) -> None:
    """Neither without the scope, nor limited to areas."""
    await _left(rig)
    assert (await rig.api("DELETE", "/users/8?erase=true")).status == 200
    clerk = await signed_in(rig, "read", "write", name="bob")
    assert (await clerk.get("/people/8/remove")).status == 404
    assert "/people/8/remove" not in (await clerk.get("/attendance/people/8")).body.decode()
    limited = await signed_in(rig, "read", "write", "dangerous", name="eve", areas=["default"])
    assert (await limited.get("/people/8/remove")).status == 404
