"""Attendance records of the API say whose they may be instead."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest_twisted

from ..console.browser import signed_in
from ..console.test_another_persons_punches import YES, two_people
from ..promises.limited import MINE, plant
from ..rig import TOKEN, Rig

CSV = (f"Authorization: Bearer {TOKEN}", "Accept: text/csv")
Marks = list[tuple[str, Any, Any]]


async def marks(rig: Rig) -> Marks:
    """The time, the other person and the decision of each record; lists and CSV agree."""
    items = await rig.items("/attendance")
    text = await rig.api("GET", "/attendance", headers=CSV)
    rows = [*csv.DictReader(io.StringIO(text.body.decode()))]
    found = [(one["time"][11:13], one["other_person"], one["not_counted"]) for one in items]
    assert [(one["time"][11:13], one["other_person"], one["not_counted"]) for one in rows] == [
        (hour, name or "", str(is_other)) for hour, name, is_other in found
    ]
    return found


@pytest_twisted.ensureDeferred
async def test_records_name_who_may_have_made_them(rig: Rig) -> None:
    """While nobody has decided, and after a decision for the other person; not for this one."""
    action = await two_people(rig)
    assert await marks(rig) == [
        ("08", "Ivy Eriksen", False),
        ("09", None, False),
        ("11", None, False),
    ]
    browser = await signed_in(rig)
    await browser.send("/people/7", action, {"keep": "stored", "punches": "other", **YES})
    assert (await marks(rig))[0] == ("08", "Ivy Eriksen", True)
    (claim,) = await rig.items("/conflicts/punches")
    await rig.api("POST", f"/conflicts/punches/{claim['id']}", {"owner": "person"})
    assert [one[1:] for one in await marks(rig)] == [(None, False)] * 3


@pytest_twisted.ensureDeferred
async def test_limited_callers_are_told_of_their_people_only(rig: Rig) -> None:
    """The name that a terminal has for a person of another area stays there."""
    planted = await plant(rig)
    await rig.post(f"cdata?SN={MINE}&table=OPERLOG&Stamp=9", b"USER PIN=99177\tName=Zoe\tPri=0\n")
    await rig.post(f"cdata?SN={MINE}&table=ATTLOG&Stamp=9", b"99177\t2026-03-01 09:30:00\t0\t1\n")
    (every,) = [one for one in await rig.items("/attendance") if one["time"].endswith("09:30:00")]
    assert every["other_person"] == "Zoe"
    mine = (await planted.ask("GET", "/attendance")).json["items"]
    (found,) = [one for one in mine if one["time"].endswith("09:30:00")]
    assert found["other_person"] is None
