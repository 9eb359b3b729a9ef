"""Exports in the audit log: who took which list away, with which filters."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from ..console.browser import document, signed_in, text_of
from ..console.test_limited_accounts import routes
from ..console.walk import english_left
from ..rig import TOKEN, Rig
from .test_people_changes import said

PEOPLE = b"USER PIN=7\tName=Zaphod\nUSER PIN=8\tName=Ann\n"


async def exports(rig: Rig) -> list[tuple[str, str]]:
    """The subjects and details of the recorded exports."""
    found = await rig.items("/audit?action=export")
    return [(one["subject"], one["detail"].partition("; by ")[0]) for one in found]


async def take(rig: Rig, path: str, form: str = "text/csv") -> Any:
    """Take a list away."""
    reply = await rig.api(
        "GET", path, headers=[f"Authorization: Bearer {TOKEN}", f"Accept: {form}"]
    )
    assert reply.status == 200, reply.raw
    return reply


@pytest.mark.parametrize(
    ("form", "name"), [("text/csv", "csv"), ("application/x-ndjson", "ndjson")]
)
@pytest_twisted.ensureDeferred
async def test_whoever_takes_a_list_away_is_recorded(rig: Rig, form: str, name: str) -> None:
    """With harmless filters; a person is named by a pseudonym, and a name is not shown."""
    await said(rig, PEOPLE)
    person = await rig.person("7")
    for path in (
        "/users?search=zaphod&secrets=true",
        "/attendance?pin=7&device=T1",
        "/users/7/history",
    ):
        await take(rig, path, form)
    assert await exports(rig) == [
        ("list users", f"{name}, search (not shown), secrets=True"),
        ("list attendance", f"{name}, device=T1, pin={person}, record_type=attendance"),
        (f"list users/{person}/history", name),
    ]
    (found, *_) = await rig.items("/audit?action=export")
    assert (found["actor"], found["pins"]) == ("token admin", [])
    assert "by API from" in found["detail"]


@pytest_twisted.ensureDeferred
async def test_programs_do_not_fill_the_audit_log(rig: Rig) -> None:
    """Pages of JSON are none; equal exports count once a minute, and later parts once a day."""
    await said(rig, PEOPLE)
    for _ in range(3):
        cursor = (await rig.api("GET", "/users?limit=1")).json["cursor"]
        await take(rig, "/users")
    assert await exports(rig) == [("list users", "csv")]
    rig.clock.advance(61)
    await take(rig, "/users")
    assert len(await exports(rig)) == 2
    for _ in range(3):
        rig.clock.advance(61)
        await take(rig, f"/users?after={cursor}")
    assert len(await exports(rig)) == 2
    rig.clock.advance(24 * 3600)
    await take(rig, f"/users?after={cursor}")
    assert len(await exports(rig)) == 3


@pytest_twisted.ensureDeferred
async def test_exports_of_the_console_are_recorded(rig: Rig) -> None:
    """As CSV and as workbooks, under the name of the account."""
    await said(rig, PEOPLE)
    browser = await signed_in(rig, name="ben")
    for what in ("people", "attendance"):
        for form in ("csv", "xlsx"):
            assert (await browser.get(f"/{what}/export.{form}")).status == 200
    assert await exports(rig) == [
        (f"list {what}", form) for what in ("people", "attendance") for form in ("csv", "xlsx")
    ]
    found = await rig.items("/audit?action=export")
    assert {one["actor"] for one in found} == {"account ben"}


@pytest_twisted.ensureDeferred
async def test_each_file_of_the_console_has_a_record_of_its_own(rig: Rig) -> None:
    """All that it exports, within one minute: the payroll sheet is not the list of punches."""
    await said(rig, PEOPLE)
    browser = await signed_in(rig)
    files = [one.path for one in routes(rig) if one.path.endswith((".csv", ".xlsx"))]
    files.remove("/people/import/sample.csv")  # has nobody's data
    for path in files:
        assert (await browser.get(path)).status == 200
    found = await exports(rig)
    assert len(found) == len({*found}) == len(files) >= 8


@pytest_twisted.ensureDeferred
async def test_files_of_people_are_told_apart(rig: Rig) -> None:
    """Each under the pseudonym of its person, whom the page of the log names."""
    await said(rig, PEOPLE)
    browser = await signed_in(rig)
    for path in ("export.csv", "days.csv"):
        for person in ("7", "Ann"):
            await browser.get(
                f"/attendance/{path}?person={person}&since=2026-03-01&until=2026-03-02"
            )
    found = await exports(rig)
    people = [await rig.person(pin) for pin in ("7", "8")]
    assert found == [
        (f"list {what}", f"csv, pin={person}, since=2026-03-01, until=2026-03-02")
        for what in ("attendance", "attendance/days")
        for person in people
    ]
    shown = text_of(await browser.get("/audit"))
    for words in ("List of punches", "Payroll sheet", "Zaphod", "Ann", "CSV file, User ID: 7"):
        assert words in shown
    for words in ("list attendance", "since=", "not shown"):
        assert words not in shown
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get("/audit"))) == []


@pytest_twisted.ensureDeferred
async def test_a_new_person_has_what_was_filled_in(rig: Rig) -> None:
    """Empty fields of the form are not in the log."""
    browser = await signed_in(rig)
    await browser.send("/people/new", "/people/new", {"pin": "55", "name": "Omar"})
    (found,) = await rig.items("/audit?action=add%20person")
    assert found["detail"].partition(";")[0] == "name"
