"""Jobs of callers who are limited to areas, and terminals that leave these areas meanwhile."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from ..console.browser import signed_in, text_of
from ..rig import Rig
from .test_jobs import answer_all, counts, runner, shown, terminals

WHY = "The terminal has left the areas"


async def limited(rig: Rig, *areas: str) -> list[str]:
    """The header of a token of these areas, which are made."""
    for area in areas:
        await rig.api("PUT", f"/areas/{area}", {})
    body = {"name": "-".join(areas), "scopes": ["read", "write", "dangerous"], "areas": [*areas]}
    token = (await rig.api("POST", "/tokens", body)).json["token"]
    return [f"Authorization: Bearer {token}"]


async def begun(rig: Rig, mine: list[str], **body: object) -> dict[str, Any]:
    """A job of a limited caller that restarts three terminals, one at a time."""
    await terminals(rig, 3, area="North")
    await rig.exchange("T0")
    wanted = {"command": "REBOOT", "all": True, "wave": 1, **body}
    job = (await rig.api("POST", "/commands", wanted, headers=mine)).json
    await runner(rig).work()
    assert await counts(rig, job) == {"queued": 1, "waiting": 2}
    return dict(job)


async def move(rig: Rig, sn: str, area: str) -> None:
    """Move a terminal to another area."""
    assert (await rig.api("PATCH", f"/devices/{sn}", {"area": area})).status == 200


@pytest_twisted.ensureDeferred
async def test_a_job_does_not_go_on_for_a_terminal_that_has_left_the_areas(rig: Rig) -> None:
    """It gets no command, the line of the job says why, and the next terminal gets its command."""
    mine = await limited(rig, "North")
    job = await begun(rig, mine)
    await move(rig, "T1", "South")
    await answer_all(rig, "T0")
    await runner(rig).work()
    await runner(rig).work()
    assert await counts(rig, job) == {"done": 1, "refused": 1, "queued": 1}
    assert await rig.items("/devices/T1/commands") == []
    assert len(await rig.items("/devices/T2/commands")) == 1
    (line,) = (await shown(rig, job))["failed"]
    assert (line["device"], line["state"], line["command"]) == ("T1", "refused", None)
    assert line["meaning"].startswith(WHY)


@pytest_twisted.ensureDeferred
async def test_the_caller_still_sees_the_job_without_the_terminal_that_left(rig: Rig) -> None:
    """The line of the terminal has no serial number for the caller, by the API and the console."""
    mine = await limited(rig, "North")
    job = await begun(rig, mine)
    await move(rig, "T1", "South")
    await answer_all(rig, "T0")
    await runner(rig).work()
    reply = await rig.api("GET", f"/jobs/{job['id']}", headers=mine)
    (line,) = reply.json["failed"]
    assert (line["device"], line["meaning"].startswith(WHY)) == (None, True)
    assert b'"T1"' not in reply.raw
    listed = (await rig.api("GET", "/jobs", headers=mine)).json["items"]
    assert [one["id"] for one in listed] == [job["id"]]
    browser = await signed_in(rig, name="north", areas=["North"])
    page = text_of(await browser.get(f"/jobs/{job['id']}"))
    assert f"in another area not possible on the terminal {WHY}" in page
    assert "T1" not in page.split()
    theirs = await limited(rig, "South")
    assert (await rig.api("GET", f"/jobs/{job['id']}", headers=theirs)).status == 404


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_left_after_its_command_hides_the_job(rig: Rig) -> None:
    """What it does with the command is of its present area."""
    mine = await limited(rig, "North")
    job = await begun(rig, mine)
    await move(rig, "T0", "South")
    assert (await rig.api("GET", f"/jobs/{job['id']}", headers=mine)).status == 404
    assert (await rig.api("GET", "/jobs", headers=mine)).json["items"] == []


@pytest_twisted.ensureDeferred
async def test_what_is_queued_belongs_to_the_present_area_of_the_terminal(rig: Rig) -> None:
    """A caller of that area sees and cancels it; the one who queued it no longer reaches it."""
    mine, theirs = await limited(rig, "North"), await limited(rig, "South")
    await begun(rig, mine)
    await move(rig, "T0", "South")
    (command,) = (await rig.api("GET", "/devices/T0/commands", headers=theirs)).json["items"]
    path = f"/commands/{command['id']}"
    assert (await rig.api("DELETE", path, headers=mine)).status == 404
    assert (await rig.api("DELETE", path, headers=theirs)).status == 204
    assert await answer_all(rig, "T0") == 0


@pytest_twisted.ensureDeferred
async def test_who_lets_a_job_go_on_decides_where(rig: Rig) -> None:
    """A retry of a limited caller goes on in the areas of that caller, any other one in all."""
    job = await begun(rig, await limited(rig, "North"))
    await answer_all(rig, "T0", -1)
    await runner(rig).work()
    await move(rig, "T1", "South")
    assert (await rig.api("POST", f"/jobs/{job['id']}/retry", {})).status == 202
    for sn in ("T0", "T1"):
        await runner(rig).work()
        await rig.exchange(sn)
        assert await answer_all(rig, sn) == 1
    both = await limited(rig, "North", "South")
    await move(rig, "T2", "East")
    retried = await rig.api("POST", f"/jobs/{job['id']}/retry", {}, headers=both)
    assert retried.status == 404
    await move(rig, "T2", "South")
    retried = await rig.api("POST", f"/jobs/{job['id']}/retry", {}, headers=both)
    assert retried.status == 202
    await move(rig, "T2", "East")
    await runner(rig).work()
    assert await counts(rig, job) == {"done": 2, "refused": 1}


@pytest_twisted.ensureDeferred
async def test_an_area_named_default_has_the_terminals_without_one(rig: Rig) -> None:
    """A job for it reaches them, as those of an area of any other name."""
    await terminals(rig, 1)
    mine = await limited(rig, "default")
    body = {"command": "INFO", "area": "default"}
    job = (await rig.api("POST", "/commands", body, headers=mine)).json
    await runner(rig).work()
    assert await counts(rig, job) == {"queued": 1}
