"""What there is to check about a day is the same wherever the console and its files show it."""

from __future__ import annotations

import re

import pytest_twisted

from ..rig import Rig
from .browser import document, signed_in, text_of
from .test_attendance import line, person, punch, rows
from .test_payroll import sheets

WEEK = "since=2026-02-22&until=2026-02-28"


@pytest_twisted.ensureDeferred
async def test_an_unreadable_punch_is_marked_in_all_places(rig: Rig) -> None:
    """In the list, the payroll sheet, its totals, the month and the day; the overview counts it."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await person(rig, "104", "Dolores Pinto")
    await punch(
        rig,
        line("104", "2026-02-25 08:00:00"),
        line("104", "2026-02-25 17:00:00", 1),
        "104\t2026-02-25 25:61:00\t0\t15\t0\t0\t0\t255\t\t\n",
        "104\t2026-02-26 25:61:00\t0\t15\t0\t0\t0\t255\t\t\n",
        line("104", "2026-02-27 08:00:00"),
    )
    browser = await signed_in(rig)
    listed = rows(await browser.get(f"/attendance/check?{WEEK}"))
    marks = ["one punch only", "unreadable punch", "unreadable punch"]
    assert [mark in one for one, mark in zip(listed, marks, strict=True)] == [True] * 3
    book = sheets((await browser.get(f"/attendance/days.xlsx?{WEEK}")).body)
    assert [(one[3] != "", one[9]) for one in book["Payroll"][1:]] == [
        (True, mark) for mark in reversed(marks)
    ]
    (total,) = book["Totals"][1:]
    assert total[3:5] == ["2", "3"]
    assert total[7] == "3"
    month = rows(await browser.get("/attendance/people/104?month=2026-02"))
    assert [mark for one in month for mark in sorted({*marks}) if mark in one] == marks[::-1]
    for day, mark in zip((27, 26, 25), marks, strict=True):
        shown = document(await browser.get(f"/attendance/people/104/2026-02-{day}"))
        (found,) = shown.findall(".//ul[@id='check']/li")
        assert mark in "".join(found.itertext())
        assert re.search("Ask when|The punch says|Look at the line", "".join(found.itertext()))
    assert "3 days of people" in text_of(await browser.get("/"))
