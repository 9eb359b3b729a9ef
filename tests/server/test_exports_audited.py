"""Exports in the audit log: who took which list away, with which filters."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from ..console.browser import signed_in
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
