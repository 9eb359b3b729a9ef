"""Punches at a terminal that has another person under the user ID, while the conflict is open."""

from __future__ import annotations

import csv
import io

import pytest_twisted

from ..rig import Rig
from .browser import signed_in, text_of
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
    assert [heading[-1], *(one[-1] for one in found)] == [
        "May be another person's",
        "",
        "Ivy Eriksen",
    ]
    (conflict,) = await rig.items("/conflicts")
    await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "terminal"})
    for path in pages:
        assert "another person's" not in text_of(await browser.get(path)), path


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
