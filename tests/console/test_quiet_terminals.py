"""Terminals that sent nothing after some hour of a day."""

from __future__ import annotations

import datetime

import pytest
import pytest_twisted

from zkpush.handlers.attendance import quiet

from ..rig import Rig
from .browser import Browser, signed_in, text_of
from .test_attendance import line, punch
from .test_payroll import sheets

WEEK = "since=2026-02-16&until=2026-02-22"
PEOPLE = ("1", "2", "3", "4")
SAID = "T1 sent no punch after 08:13 on {}. Look there before you ask {} people."


async def _filled(rig: Rig, *, usual: int = 3, odd: int = 3, sn: str = "T1") -> Browser:
    """Days with an evening, and Friday the 20th, on which some people have only come."""
    await rig.exchange(sn)
    await rig.api("PATCH", f"/devices/{sn}", {"timezone": "UTC"})
    for day in range(20 - usual, 20):
        for time, state in (("08:00:00", 0), ("17:00:00", 1)):
            await punch(rig, *(line(one, f"2026-02-{day} {time}", state) for one in PEOPLE), sn=sn)
    await punch(rig, *(line(one, f"2026-02-20 08:1{one}:00") for one in PEOPLE[:odd]), sn=sn)
    return await signed_in(rig)


@pytest_twisted.ensureDeferred
async def test_a_terminal_is_named_that_sent_nothing_in_the_evening(rig: Rig) -> None:
    """On the page, with the way to its checks, and in the notes of the payroll sheet."""
    await rig.exchange("T2")
    await rig.api("PATCH", "/devices/T2", {"timezone": "UTC"})
    for time, state in (("07:00:00", 0), ("16:00:00", 1)):
        await punch(rig, line("9", f"2026-02-20 {time}", state), sn="T2")
    browser = await _filled(rig, odd=3)
    shown = await browser.get(f"/attendance/check?{WEEK}")
    assert SAID.format("Fri 20 Feb 2026", 3) in text_of(shown).replace(" .", ".")
    assert b'href="/console/terminals/T1/doctor"' in shown.body
    assert b"T2/doctor" not in shown.body
    notes = sheets((await browser.get(f"/attendance/days.xlsx?{WEEK}")).body)["Notes"]
    assert [SAID.format("2026-02-20", 3)] in notes
    assert "The punch says when the person came." in text_of(shown)
    sue = await signed_in(rig, name="sue", areas=["South"])
    assert "sent no punch" not in text_of(await sue.get(f"/attendance/check?{WEEK}"))


@pytest.mark.parametrize(("usual", "odd", "others"), [(2, 3, 0), (3, 2, 0), (3, 3, 4)])
@pytest_twisted.ensureDeferred
async def test_nothing_is_said_of_usual_days(rig: Rig, usual: int, odd: int, others: int) -> None:
    """Few evenings before, few people, or more people with a whole day."""
    browser = await _filled(rig, usual=usual, odd=odd)
    await rig.exchange("T2")
    await rig.api("PATCH", "/devices/T2", {"timezone": "UTC"})
    for pin in range(11, 11 + others):
        for time, state in (("07:00:00", 0), ("16:00:00", 1)):
            await punch(rig, line(str(pin), f"2026-02-20 {time}", state), sn="T2")
    shown = text_of(await browser.get(f"/attendance/check?{WEEK}"))
    assert "one punch only" in shown
    assert "sent no punch" not in shown
    notes = sheets((await browser.get(f"/attendance/days.xlsx?{WEEK}")).body)["Notes"]
    assert "sent no punch" not in str(notes)


@pytest_twisted.ensureDeferred
async def test_a_day_of_many_punches_is_left_to_the_file(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page does not count the people of a day with more punches than it may read."""
    browser = await _filled(rig, odd=3)
    for most, is_said in ((2, False), (3, True)):
        monkeypatch.setattr(quiet, "MOST_PUNCHES", most)
        shown = text_of(await browser.get(f"/attendance/check?{WEEK}"))
        assert ("sent no punch" in shown) is is_said
        notes = sheets((await browser.get(f"/attendance/days.xlsx?{WEEK}")).body)["Notes"]
        assert "sent no punch" in str(notes)


@pytest_twisted.ensureDeferred
async def test_nothing_is_said_of_a_day_that_is_not_over(rig: Rig) -> None:
    """User IDs that nobody has are listed of today too, whose evening is still to come."""
    browser = await _filled(rig, odd=3)
    query = f"/attendance/check?{WEEK}&mark=nobody"
    assert "sent no punch" in text_of(await browser.get(query))
    rig.clock.rightNow = datetime.datetime(2026, 2, 20, 12, tzinfo=datetime.UTC).timestamp()
    browser = await signed_in(rig, name="eve")
    shown = text_of(await browser.get(query))
    assert shown.count("nobody here has this user ID") >= 3
    assert "sent no punch" not in shown
    notes = sheets((await browser.get(f"/attendance/days.xlsx?{WEEK}")).body)["Notes"]
    assert "sent no punch" not in str(notes)


@pytest_twisted.ensureDeferred
async def test_a_check_out_alone_says_when_the_person_left(rig: Rig) -> None:
    """On the list and on the day, which says where hours are corrected."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    await punch(rig, line("1", "2026-02-20 17:00:00", 1), line("2", "2026-02-20 17:00:00", 255))
    browser = await signed_in(rig)
    shown = text_of(await browser.get(f"/attendance/check?{WEEK}"))
    assert "The punch says when the person left. Ask for the time of coming." in shown
    assert "Ask when the person came and left" in shown
    day = text_of(await browser.get("/attendance/people/1/2026-02-20"))
    assert "The punch says when the person left." in day
    assert "make corrections in the payroll program" in day


@pytest_twisted.ensureDeferred
async def test_who_presses_twice_is_counted_as_with_one_punch(rig: Rig) -> None:
    """On the page and in the notes alike."""
    browser = await _filled(rig, odd=3)
    await punch(rig, *(line(one, f"2026-02-20 08:1{one}:08") for one in PEOPLE[:3]))
    shown = await browser.get(f"/attendance/check?{WEEK}")
    assert SAID.format("Fri 20 Feb 2026", 3) in text_of(shown).replace(" .", ".")
    notes = sheets((await browser.get(f"/attendance/days.xlsx?{WEEK}")).body)["Notes"]
    assert [SAID.format("2026-02-20", 3)] in notes


@pytest_twisted.ensureDeferred
async def test_who_comes_and_goes_within_a_minute_has_two_punches(rig: Rig) -> None:
    """They are not repeats, on the page as in the notes: most people have nothing odd."""
    browser = await _filled(rig, odd=3)
    others = [str(one) for one in range(11, 15)]
    for time, state in (("08:00:00", 0), ("08:00:30", 1)):
        await punch(rig, *(line(one, f"2026-02-20 {time}", state) for one in others))
    shown = text_of(await browser.get(f"/attendance/check?{WEEK}"))
    assert "one punch only" in shown
    assert "sent no punch" not in shown
    notes = sheets((await browser.get(f"/attendance/days.xlsx?{WEEK}")).body)["Notes"]
    assert "sent no punch" not in str(notes)


@pytest_twisted.ensureDeferred
async def test_who_only_comes_twice_has_something_odd(rig: Rig) -> None:
    """No check-out, although the number of punches is even; on the page as in the notes."""
    browser = await _filled(rig, odd=3)
    await punch(rig, *(line(one, f"2026-02-20 08:0{one}:00") for one in PEOPLE[:3]))
    shown = text_of(await browser.get(f"/attendance/check?{WEEK}"))
    assert "no check-out" in shown
    assert SAID.format("Fri 20 Feb 2026", 3) in shown.replace(" .", ".")
    notes = sheets((await browser.get(f"/attendance/days.xlsx?{WEEK}")).body)["Notes"]
    assert [SAID.format("2026-02-20", 3)] in notes
