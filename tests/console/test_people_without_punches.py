"""People without any punch in the period of a payroll sheet."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.attendance import totals, unseen

from ..rig import Rig
from .browser import Browser, signed_in, text_of
from .test_attendance import line, person, punch
from .test_payroll import sheets

FEBRUARY = "since=2026-02-01&until=2026-02-08"


async def _filled(rig: Rig) -> Browser:
    """Two people with punches, one who was there before, a newcomer, and others."""
    for sn, area in (("T1", "North"), ("T2", "South")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"timezone": "UTC", "area": area})
    people = {"3": "Ann Ash", "20": "Bob Birch", "100": "Cem Cedar", "5": "Eva Elm", "6": "Fay Fir"}
    for pin, name in people.items():
        await person(rig, pin, name)
    await rig.api("PUT", "/users/3", {"areas": ["North"]})
    await rig.api("PUT", "/users/5", {"end_datetime": "2026-01-31 23:59:59"})
    for pin in ("3", "100"):
        times = (f"2026-02-0{day} 0{hour}:00:00" for day in (2, 3) for hour in (7, 8))
        await punch(rig, *(line(pin, time) for time in times))
    await punch(rig, line("20", "2026-01-15 08:00:00"), line("6", "2026-02-20 08:00:00"))
    await person(rig, "4", "Dan Dill")
    return await signed_in(rig)


async def _totals(browser: Browser, query: str = FEBRUARY) -> list[list[str]]:
    """User ID, name, days, punches, hours and missed days of each row."""
    book = sheets((await browser.get(f"/attendance/days.xlsx?{query}")).body)
    found = [[*one, *[""] * (9 - len(one))] for one in book["Totals"][1:]]
    return [[*one[:2], *one[3:6], one[8]] for one in found]


@pytest_twisted.ensureDeferred
async def test_totals_have_everybody_of_the_list(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the days on which they are missed; not who came or left outside the period."""
    browser = await _filled(rig)
    for module, name in ((totals, "SLICE"), (unseen, "AT_ONCE")):
        monkeypatch.setattr(module, name, 1)
    found = await _totals(browser)
    assert [one[:4] for one in found] == [
        ["3", "Ann Ash", "2", "4"],
        ["4", "Dan Dill", "0", "0"],
        ["20", "Bob Birch", "0", "0"],
        ["100", "Cem Cedar", "2", "4"],
    ]
    assert [one[5] for one in found] == ["", "", "2026-02-02, 2026-02-03", ""]
    assert float(found[2][4]) == 0
    note = "Totals have everybody of the list"
    assert note in text_of(await browser.get(f"/attendance?{FEBRUARY}"))


@pytest_twisted.ensureDeferred
async def test_nobody_is_listed_whom_the_filter_leaves_out(rig: Rig) -> None:
    """By person, by area, by terminal, and for an account of one area."""
    browser = await _filled(rig)

    async def pins(query: str, by: Browser = browser) -> list[str]:
        return [one[0] for one in await _totals(by, f"{FEBRUARY}{query}")]

    assert await pins("&person=20") == ["20"]
    assert await pins("&person=Bob") == ["20"]
    assert await pins("&device=T1") == ["3", "100"]
    await rig.api("PUT", "/users/20", {"areas": ["South"]})
    assert await pins("&area=South") == ["20"]
    for query, note in (
        ("&area=South", "Totals of areas have everybody with punches at their terminals"),
        ("&device=T1", "Totals have only people with punches in this sheet."),
        ("&person=20", "Totals have this person only."),
    ):
        text = text_of(await browser.get(f"/attendance?{FEBRUARY}{query}"))
        assert note in text
        assert "Totals have everybody of the list" not in text
    assert await pins("", await signed_in(rig, name="sue", areas=["South"])) == ["20"]


@pytest_twisted.ensureDeferred
async def test_who_punched_at_terminals_of_other_areas_is_not_without_punches(
    either: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the totals, nor in the API; punches of other periods do not count."""
    rig = either
    browser = await _filled(rig)
    monkeypatch.setattr(unseen, "AT_ONCE", 1)
    for pin in ("3", "20", "100"):
        await rig.api("PUT", f"/users/{pin}", {"areas": ["South"]})
    sue = await signed_in(rig, name="sue", areas=["South"])
    for by, query in ((browser, f"{FEBRUARY}&area=South"), (sue, FEBRUARY)):
        assert [one[0] for one in await _totals(by, query)] == ["20"]
    days = "/attendance/days?area=South&first=2026-02-0{}&last=2026-02-08"
    for first, pins in ((1, ["20"]), (3, ["20"]), (4, ["3", "20", "100"])):
        reply = await rig.api("GET", days.format(first))
        assert [one["pin"] for one in reply.json["without_punches"]] == pins


@pytest_twisted.ensureDeferred
async def test_punches_elsewhere_before_somebody_got_the_user_id_are_not_theirs(rig: Rig) -> None:
    """They may be the earlier person's."""
    browser = await _filled(rig)
    assert (await rig.api("DELETE", "/users/3")).status in (200, 204)
    await rig.api("PUT", "/users/3?confirm=new", {"name": "Gus Gray", "areas": ["South"]})
    found = await _totals(browser, f"{FEBRUARY}&area=South")
    assert [one[:4] for one in found] == [["3", "Gus Gray", "0", "0"]]


@pytest_twisted.ensureDeferred
async def test_removed_people_are_listed_if_they_have_punches(rig: Rig) -> None:
    """Nobody is missed who is not there any more."""
    browser = await _filled(rig)
    for pin in ("20", "3"):
        assert (await rig.api("DELETE", f"/users/{pin}")).status in (200, 204)
    assert [one[0] for one in await _totals(browser)] == ["3", "4", "100"]


@pytest_twisted.ensureDeferred
async def test_who_has_only_an_unreadable_punch_is_missed_too(rig: Rig) -> None:
    """The row has something to check, and the days."""
    browser = await _filled(rig)
    await punch(rig, "20\t2026-02-03 25:99:00\t0\t1\t0\t0\t0\t255\t\t\n")
    book = sheets((await browser.get(f"/attendance/days.xlsx?{FEBRUARY}")).body)
    (bob,) = (one for one in book["Totals"] if one[0] == "20")
    assert [*bob[3:5], *bob[7:]] == ["0", "0", "1", "2026-02-02, 2026-02-03"]
