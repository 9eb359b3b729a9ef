"""The month and the day of a person: strips, and what they add up to."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.handlers.attendance import personpages

from ..rig import Response, Rig
from .browser import document, signed_in, text_of
from .test_attendance import line, person, punch, rows

_ODD = (("08", 0), ("12", 1), ("13", 0))


def totals(shown: Response) -> dict[str, str]:
    """The numbers of a month by their words."""
    found = (one for one in document(shown).iter("ul") if one.get("id") == "totals")
    tiles = [" ".join(" ".join(one.itertext()).split()) for one in next(found)]
    return {words: number for number, _, words in (one.partition(" ") for one in tiles)}


@pytest_twisted.ensureDeferred
async def test_a_month_of_a_person_has_a_strip_for_each_day(rig: Rig) -> None:
    """Each day shows its first and last punch and the time between; one punch only is marked."""
    await rig.exchange("T1")
    await person(rig, "1", "Ann Ash")
    await punch(
        rig,
        line("1", "2026-02-02 08:00:00"),
        line("1", "2026-02-02 12:00:00", 2),
        line("1", "2026-02-02 17:05:00", 1),
        line("1", "2026-02-03 08:00:00"),
    )
    browser = await signed_in(rig)
    shown = await browser.get("/attendance/people/1?month=2026-02")
    days = rows(shown)
    assert len(days) == 28
    assert days[1] == "Mon 2 Feb 2026 08:00 17:05 9:05 odd number of punches"
    assert days[2] == "Tue 3 Feb 2026 08:00 one punch only"
    assert days[3] == "Wed 4 Feb 2026"
    strip = shown.body.decode().split('role="img"')[2].split("</svg>")[0]
    assert re.findall(r'class="(in|out|none)" cx="([0-9.]+)"', strip) == [
        ("in", "96.0"),
        ("out", "144.0"),
        ("out", "205.0"),
    ]
    day = await browser.get("/attendance/people/1/2026-02-02")
    assert [one[:8] for one in rows(day)] == ["08:00:00", "12:00:00", "17:05:00"]
    for path in ("/attendance/people/7", "/attendance/people/1/2026-02-30"):
        assert (await browser.get(path)).status == 404


@pytest_twisted.ensureDeferred
async def test_a_month_is_the_sum_of_its_days(rig: Rig) -> None:
    """It counts days, punches, hours between first and last ones, doubts, and days without any."""
    await rig.exchange("T1")
    await person(rig, "1", "Ann Ash")
    await punch(
        rig,
        line("1", "2026-02-02 08:00:00"),
        line("1", "2026-02-02 12:00:00", 2),
        line("1", "2026-02-02 17:05:00", 1),
        line("1", "2026-02-03 08:00:00"),
        line("1", "2026-02-05 09:10:00"),
        line("1", "2026-02-05 16:00:00", 1),
        line("1", "2026-01-31 23:59:00"),
        line("2", "2026-02-04 08:00:00"),
    )
    # The zone of this one is not known: its days are those of its own clock.
    await rig.exchange("T2")
    await rig.api("PATCH", "/devices/T2", {"timezone": None})
    await punch(rig, line("1", "2026-02-28 23:30:00"), sn="T2")
    browser = await signed_in(rig)
    month = await browser.get("/attendance/people/1?month=2026-02")
    found = totals(month)
    assert found == {
        "days with punches": "4",
        "punches": "7",
        "hours from first to last punch": "15:55",
        "days with one punch only": "2",
        "day with three punches or another odd number": "1",
        "punch with a doubtful time": "1",
        "days without punches 7 of them on weekends": "24",
    }
    paths = re.findall(r'href="/console(/attendance/people/1/[0-9-]+)"', month.body.decode())
    days = [await browser.get(path) for path in paths]
    assert len(days) == int(found["days with punches"])
    assert sum(len(rows(day)) for day in days) == int(found["punches"])
    spans = [re.search(r"first to the last punch: (\d+):(\d+)", text_of(day)) for day in days]
    minutes = sum(int(one[1]) * 60 + int(one[2]) for one in spans if one is not None)
    assert f"{minutes // 60}:{minutes % 60:02}" == found["hours from first to last punch"]


@pytest_twisted.ensureDeferred
async def test_the_present_month_counts_no_days_to_come(rig: Rig) -> None:
    """Today is not a day without punches yet."""
    await rig.exchange("T1")
    await punch(rig, line("1", "2026-03-01 08:00:00"))
    found = totals(await (await signed_in(rig)).get("/attendance/people/1"))
    assert found["days without punches"] == "0"


@pytest_twisted.ensureDeferred
async def test_a_month_with_too_many_punches_says_so(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not shown is not passed over in silence."""
    await rig.exchange("T1")
    await punch(rig, *(line("1", f"2026-02-02 08:00:0{second}") for second in range(3)))
    browser = await signed_in(rig)
    said = "More than 2 punches are stored for these days"
    for path in ("/attendance/people/1?month=2026-02", "/attendance/people/1/2026-02-02"):
        assert said not in text_of(await browser.get(path))
        monkeypatch.setattr(personpages, "MOST", 2)
        assert said in text_of(await browser.get(path))
        monkeypatch.undo()


@pytest_twisted.ensureDeferred
async def test_a_day_on_which_a_punch_may_be_missing_is_marked(rig: Rig) -> None:
    """An odd number of punches, and states that only go in, are facts of the day and the month."""
    await rig.exchange("T1")
    await person(rig, "1", "Ann Ash")
    await punch(
        rig,
        *(line("1", f"2026-02-02 {hour}:00:00", state) for hour, state in _ODD),
        *(line("1", f"2026-02-03 {hour}:00:00") for hour in ("08", "13")),
        *(line("1", f"2026-02-04 {hour}:00:00", state) for hour, state in (("08", 0), ("17", 1))),
        line("1", "2026-02-05 08:00:00"),
    )
    browser = await signed_in(rig)
    shown = await browser.get("/attendance/people/1?month=2026-02")
    days = rows(shown)
    assert days[1] == "Mon 2 Feb 2026 08:00 13:00 5:00 odd number of punches"
    assert days[2] == "Tue 3 Feb 2026 08:00 13:00 5:00 no check-out"
    assert days[3] == "Wed 4 Feb 2026 08:00 17:00 9:00"
    assert days[4] == "Thu 5 Feb 2026 08:00 one punch only"
    counted = totals(shown)
    assert counted["day with three punches or another odd number"] == "1"
    assert counted["day with one punch only"] == "1"
    assert "print command of your browser" in text_of(shown)


@pytest_twisted.ensureDeferred
async def test_a_newcomer_was_not_away_before_the_first_day(rig: Rig) -> None:
    """Days without punches are counted from the first punch of all on."""
    await rig.exchange("T1")
    await person(rig, "1", "Ann Ash")
    await punch(
        rig,
        line("1", "2026-02-25 08:00:00"),
        line("1", "2026-02-27 08:00:00"),
        line("2", "2026-01-31 08:00:00"),
        line("2", "2026-02-25 08:00:00"),
    )
    browser = await signed_in(rig)
    new, old = [
        totals(await browser.get(f"/attendance/people/{pin}?month=2026-02")) for pin in "12"
    ]
    assert new["days without punches 1 of them on a weekend"] == "2"
    assert old["days without punches 8 of them on weekends"] == "27"


@pytest_twisted.ensureDeferred
async def test_times_of_a_month_have_their_heads_beside_them(rig: Rig) -> None:
    """A phone shows no heads of columns."""
    await rig.exchange("T1")
    await person(rig, "9", "Bob Birch")
    await punch(rig, line("9", "2026-02-02 08:00:00"), line("9", "2026-02-02 16:30:00", 1))
    shown = document(await (await signed_in(rig)).get("/attendance/people/9?month=2026-02"))
    cells = [one for one in shown.iter("td") if one.get("data-label")]
    assert [(one.get("data-label"), "".join(one.itertext()).strip()) for one in cells] == [
        ("First", "08:00"),
        ("Last", "16:30"),
        ("Between", "8:30"),
    ]
