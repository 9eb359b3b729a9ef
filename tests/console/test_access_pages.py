"""Pages of access data."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from ..server.test_access_data import ALL, JPEG, WEEK, define, distribute, issue, joined
from .browser import location, signed_in, text_of

LIST = "/access/North"


@pytest_twisted.ensureDeferred
async def test_an_entry_is_added_changed_and_deleted(rig: Rig) -> None:
    """By forms; the list has its values, and mistakes are at their fields."""
    await rig.api("PUT", "/areas/North", {})
    browser = await signed_in(rig)
    new = f"{LIST}/time-periods/edit"
    week = {f"params.{day}": text for day, text in WEEK.items()}
    wrong = await browser.send(new, new, {**week, "key": "5", "params.monday": "25:00-26:00"})
    assert wrong.status == 422
    assert "is not a begin and an end from 00:00 to 23:59" in text_of(wrong)
    hint = "Write closed for a day without entry."
    assert hint in text_of(wrong)
    loose = {**week, "key": "5", "params.monday": " 8:00 - 17:30 "}
    stored = await browser.send(new, new, loose)
    (period,) = await rig.items("/areas/North/time-periods")
    assert period["fields"]["monday"] == "08:00-17:30"
    assert location(stored) == f"{LIST}/time-periods"
    edit = f"{LIST}/groups/edit"
    await browser.send(edit, edit, {"key": "2", "params.verify": "1", "params.time_periods": "5"})
    (group,) = await rig.items("/areas/North/groups")
    assert group["fields"]["time_periods"] == [5]
    assert group["fields"]["valid_on_holidays"] is False
    listed = text_of(await browser.get(f"{LIST}/groups"))
    assert "Only fingerprint" in listed
    await browser.send(
        f"{edit}?key=2", edit, {"params.time_periods": "5", "params.valid_on_holidays": "true"}
    )
    (group,) = await rig.items("/areas/North/groups")
    assert group["fields"]["valid_on_holidays"] is True
    used = await browser.confirm(f"{new}?key=5", f"{LIST}/time-periods/delete", {})
    assert used.status == 422
    assert "is used by group 2" in text_of(used)
    gone = await browser.confirm(f"{edit}?key=2", f"{LIST}/groups/delete", {})
    assert location(gone) == f"{LIST}/groups"
    assert await rig.items("/areas/North/groups") == []


@pytest_twisted.ensureDeferred
async def test_the_page_of_an_entry_shows_its_terminals(rig: Rig) -> None:
    """With the state on each; the list counts them."""
    first = await joined(rig, "A1")
    await define(rig)
    browser = await signed_in(rig)
    shown = text_of(await browser.get(f"{LIST}/work-codes/edit?key=10"))
    assert "Nothing is sent to terminals" in shown
    await distribute(rig)
    await issue(rig, first)
    shown = text_of(await browser.get(f"{LIST}/work-codes/edit?key=10"))
    assert "A1" in shown
    assert "is there" in shown
    for path in ALL:
        table = path.split("/", maxsplit=1)[0]
        assert "is there 1" in text_of(await browser.get(f"{LIST}/{table}")), table
    assert str(len(JPEG)) in text_of(await browser.get(f"{LIST}/pictures"))


@pytest_twisted.ensureDeferred
async def test_what_does_not_exist_is_not_found(rig: Rig) -> None:
    """An unknown area, table or entry is 404; who may only read has no forms."""
    await rig.api("PUT", "/areas/North", {})
    await define(rig, "work-codes/10")
    browser = await signed_in(rig)
    for path in ("/access/Nowhere", f"{LIST}/nothing", f"{LIST}/work-codes/edit?key=11"):
        assert (await browser.get(path)).status == 404, path
    reader = await signed_in(rig, "read", name="reader")
    assert "Add an entry" not in text_of(await reader.get(f"{LIST}/work-codes"))
    assert (await reader.get(f"{LIST}/work-codes/edit")).status == 403


@pytest_twisted.ensureDeferred
async def test_a_week_is_written_once(rig: Rig) -> None:
    """One text fills the days without a text of their own, in new entries and in stored ones."""
    await rig.api("PUT", "/areas/North", {})
    browser = await signed_in(rig)
    page = f"{LIST}/time-periods/edit"

    async def week() -> list[str]:
        (period,) = await rig.items("/areas/North/time-periods")
        return [period["fields"][day] for day in WEEK]

    wrong = await browser.send(page, page, {"key": "1", "days.every_day": "8 to 17"})
    assert wrong.status == 422
    assert text_of(wrong).count("is not a begin and an end") == 1
    await browser.send(
        page, page, {"key": "1", "days.every_day": "8:00-17:00", "params.friday": "08:00-13:00"}
    )
    assert await week() == ["08:00-17:00"] * 4 + ["08:00-13:00"] + ["08:00-17:00"] * 2
    stored = {f"params.{day}": text for day, text in zip(WEEK, await week(), strict=True)}
    change = {**stored, "days.workdays": "09:00-18:00", "params.monday": "10:00-18:00"}
    await browser.send(f"{page}?key=1", page, {**change, "days.weekend": "closed"})
    assert await week() == ["10:00-18:00"] + ["09:00-18:00"] * 4 + ["closed"] * 2
    keys = await browser.get(f"{LIST}/work-codes/edit")
    assert "Monday to Friday" not in text_of(keys)
