"""Pages of people who left or were erased: that they did, and what stays."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from .browser import signed_in, text_of
from .test_attendance import line, person, punch, rows

MONTH = "/attendance/people/7?month=2026-03"


async def departed(rig: Rig, query: str = "") -> None:
    """A person with a punch who was removed."""
    await rig.exchange("T1")
    await person(rig, "7", "Cem Cedar")
    await punch(rig, line("7", "2026-03-01 08:00:00"))
    assert (await rig.api("DELETE", f"/users/7{query}")).status < 300


@pytest_twisted.ensureDeferred
async def test_the_page_of_an_erased_person_says_so(rig: Rig) -> None:
    """When, and to those who may see the audit log, by whom; nothing of the person is there."""
    await departed(rig, "?erase=true")
    browser = await signed_in(rig)
    shown = await browser.get("/people/7")
    assert shown.status == 410
    text = text_of(shown)
    assert "This person was erased" in text
    assert "Time Sun 1 Mar 2026 12:00" in text
    assert "By a program, with the API token admin" in text
    assert "Cem" not in text
    assert 'href="/console/attendance/people/7"' in shown.body.decode()
    assert len(rows(await browser.get("/attendance/people/7/2026-03-01"))) == 1
    assert 'href="/console/people/7/remove"' in shown.body.decode()
    clerk = await signed_in(rig, "read", "write", name="bob")
    shown = await clerk.get("/people/7")
    assert "This person was erased" in text_of(shown)
    assert "token admin" not in text_of(shown)
    assert "/people/7/remove" not in shown.body.decode()


@pytest_twisted.ensureDeferred
async def test_links_of_an_erased_person_lead_somewhere_without_punches_as_well(rig: Rig) -> None:
    """The month is empty then; of a user ID that nobody ever had, there is no page."""
    await departed(rig, "?erase=true&attendance=true")
    browser = await signed_in(rig)
    assert "This person was erased" in text_of(await browser.get("/people/7"))
    assert "No punches in this month." in text_of(await browser.get(MONTH))
    for path in ("/people/8", "/attendance/people/8"):
        shown = await browser.get(path)
        assert shown.status == 404
        assert "There is no such person." in text_of(shown)


@pytest_twisted.ensureDeferred
async def test_the_page_of_who_left_has_what_stays(rig: Rig) -> None:
    """The page names the person, the time and the author, and links the punches."""
    await departed(rig)
    browser = await signed_in(rig)
    shown = await browser.get("/people/7")
    assert shown.status == 200
    text = text_of(shown)
    assert "Cem Cedar User ID 7 left" in text
    assert (
        "Removed from the list Time Sun 1 Mar 2026 12:00 By a program, with the API token admin"
        in text
    )
    assert 'href="/console/attendance/people/7"' in shown.body.decode()
    assert 'href="/console/people/7"' in (await browser.get(MONTH)).body.decode()
    await person(rig, "7", "Cem Cedar")
    assert "left" not in text_of(await browser.get("/people/7"))


@pytest_twisted.ensureDeferred
async def test_limited_accounts_see_who_left_their_areas_and_punches_at_their_terminals(
    rig: Rig,
) -> None:
    """Not those who left other areas, nor who was erased, nor punches at other terminals."""
    for sn, area in (("T1", "North"), ("T2", "South")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"area": area, "timezone": "UTC"})
    for pin, area in (("7", "North"), ("8", "South"), ("9", "North")):
        assert (await rig.api("PUT", f"/users/{pin}", {"name": area, "areas": [area]})).status < 300
        for sn, hour in (("T1", 8), ("T2", 9)):
            await punch(rig, line(pin, f"2026-03-01 {hour:02}:00:00"), sn=sn)
        erase = "?erase=true" if pin == "9" else ""
        assert (await rig.api("DELETE", f"/users/{pin}{erase}")).status < 300
    north = await signed_in(rig, "read", "write", "dangerous", name="bob", areas=["North"])
    assert "North User ID 7 left" in text_of(await north.get("/people/7"))
    month = await north.get(MONTH)
    assert "North ID 7 left" in text_of(month)
    assert "1 punch" in text_of(month)
    assert "/people/7/remove" not in month.body.decode()
    (only,) = rows(await north.get("/attendance/people/7/2026-03-01"))
    assert only.startswith("08:00:00")
    listed = (await north.get("/attendance")).body.decode()
    assert "/console/attendance/people/7/2026-03-01" in listed
    assert "/console/attendance/people/8" not in listed
    for pin in ("8", "9"):
        for path in (f"/people/{pin}", f"/attendance/people/{pin}"):
            shown = await north.get(path)
            assert shown.status == 404, path
            assert "left" not in text_of(shown)
            assert "erased" not in text_of(shown)


@pytest_twisted.ensureDeferred
async def test_after_an_erasure_the_pages_offer_what_is_left(rig: Rig) -> None:
    """They say what was erased and how many punches stay; nothing of the person is offered."""
    await rig.exchange("T1")
    await person(rig, "7", "Elena Marín")
    await punch(rig, line("7", "2026-03-01 08:00:00"))
    browser = await signed_in(rig)
    await browser.send("/people/7/remove", "/people/7/erase", {"confirm": "7"})
    for page in (MONTH, "/attendance/people/7/2026-03-01"):
        text = text_of(await browser.get(page))
        assert "This person was erased on" in text
        assert "Erase the punches" in text
        assert "Erase everywhere" not in text
        assert "Personal data" not in text
    for page in ("/people/7/remove", "/people/7"):
        text = text_of(await browser.get(page))
        assert "This person was erased" in text
        assert "1 punch is stored under this user ID, without a name." in text
    fields = {"confirm": "7", "attendance": "true"}
    await browser.send("/people/7/remove", "/people/7/erase", fields)
    for page in ("/people/7/remove", "/people/7"):
        text = text_of(await browser.get(page))
        assert "No punches are stored under this user ID." in text
    assert "Erase the punches" not in text_of(await browser.get("/people/7"))
    assert "Erase the punches" not in text_of(await browser.get(MONTH))
