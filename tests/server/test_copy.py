"""Copy of people from terminal to terminal, and adoption of the people of a terminal."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.simulator.model import CLASSIC

from ..rig import Rig
from .test_distribution import (
    distribute,
    enrol,
    fetch,
    fingers,
    held,
    joined,
    look,
    person,
    places,
    wired,
)


async def copy(rig: Rig, sn: str = "B2", source: str = "A1", **more: Any) -> Any:
    """Copy the people of a terminal to another; the outcome, or the refusal."""
    return await rig.api("POST", f"/devices/{sn}/copy", {"from": source, **more})


async def said(rig: Rig, sn: str, body: bytes) -> None:
    """Let a terminal upload people."""
    assert (await rig.post(f"cdata?SN={sn}&table=OPERLOG&Stamp=1", body)).status == 200


async def other(rig: Rig, sn: str, area: str = "South") -> None:
    """A terminal in an area, whose requests the test writes."""
    await wired(rig, sn)
    await rig.api("PATCH", f"/devices/{sn}", {"area": area})


@pytest_twisted.ensureDeferred
async def test_who_is_on_a_terminal_is_copied_to_another(rig: Rig) -> None:
    """With templates, once: later changes are not sent, and a second copy sends nothing."""
    first = await joined(rig, "A1", "South")
    second = await joined(rig, "B2", "North", CLASSIC)
    for number in range(1, 6):
        await enrol(first, str(number), f"N{number}")
    dry = await copy(rig, dry_run=True)
    assert (dry.status, dry.json["people"], dry.json["there"]) == (202, 5, 0), dry.raw
    await fetch(rig, second)
    assert held(second) == {}
    assert await rig.items("/devices/B2/users") == []

    done = await copy(rig)
    assert done.json == dry.json
    waiting = await rig.items("/devices/B2/users")
    assert [one["state"] for one in waiting] == ["on_its_way"] * 5
    await fetch(rig, second)
    assert held(second) == held(first) != {}
    assert fingers(second) == fingers(first) == {(str(number), 1) for number in range(1, 6)}
    assert {one["state"] for one in await rig.items("/devices/B2/users")} == {"there"}
    sent = await rig.items("/devices/B2/commands?limit=1000")
    assert len(sent) == dry.json["commands"] == 10
    assert {one["priority"] for one in sent} == {-10}

    pin = min(held(first))
    await rig.api("PUT", f"/users/{pin}", {"name": "Ann"})
    await fetch(rig, second)
    assert held(second)[pin] != "Ann"
    assert len(await rig.items("/devices/B2/commands?limit=1000")) == len(sent)
    again = await copy(rig)
    assert (again.json["commands"], again.json["there"]) == (1, 4)
    await fetch(rig, second)
    assert held(second)[pin] == "Ann"
    assert (await copy(rig)).json["commands"] == 0


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_big_copy_goes_in_bounded_parts_and_deletes_nobody(rig: Rig) -> None:
    """Answers that are lost are asked for again; other commands overtake."""
    await other(rig, "A1")
    await other(rig, "B2")
    people = "".join(f"USER PIN={pin}\tName=N{pin}\n" for pin in range(1, 131))
    await said(rig, "A1", people.encode())
    await said(rig, "B2", b"USER PIN=777\tName=Own\n")
    await rig.emptied()
    assert (await copy(rig)).json["commands"] == 130
    await look(rig)
    await look(rig)
    assert len(await rig.items("/devices/B2/commands?limit=1000")) == 100
    found = b""
    for number in range(60):
        await look(rig)
        polled = (await rig.get("getrequest?SN=B2")).body
        found += polled
        if number == 0:  # the first answers are lost
            rig.clock.advance(700)
            continue
        for line in polled.splitlines():
            if line.startswith(b"C:"):
                body = f"ID={line.split(b':')[1].decode()}&Return=0&CMD=DATA"
                await rig.post("devicecmd?SN=B2", body.encode())
    assert b"DELETE" not in found
    states = [one["state"] for one in await rig.items("/devices/B2/users?limit=1000")]
    assert states == ["there"] * 131


@pytest_twisted.ensureDeferred
async def test_what_does_not_fit_is_told_before_it_is_copied(rig: Rig) -> None:
    """Each person with the reason; the others are copied."""
    await other(rig, "A1")
    await other(rig, "B2")
    await rig.post("cdata?SN=B2&table=options", b"~PIN2Width=3")
    await said(rig, "A1", b"USER PIN=12345\tName=Ann\nUSER PIN=6\tName=Bob\n")
    dry = (await copy(rig, dry_run=True)).json
    assert (dry["people"], dry["commands"], dry["there"], dry["more"]) == (2, 1, 0, 0)
    (misfit,) = dry["does_not_fit"]
    assert (misfit["pin"], misfit["part"]) == ("12345", "user")
    assert "at most 3" in misfit["meaning"]
    await copy(rig)
    await look(rig)
    polled = (await rig.get("getrequest?SN=B2")).body
    assert polled.count(b"DATA UPDATE USERINFO PIN=6\t") == 1
    assert b"12345" not in polled
    assert await rig.items("/problems?code=not%20distributed") == []


@pytest_twisted.ensureDeferred
async def test_another_person_under_the_user_id_is_not_overwritten(rig: Rig) -> None:
    """Neither fields nor templates are sent while the conflict is open."""
    await other(rig, "A1")
    await other(rig, "B2")
    await said(rig, "A1", b"USER PIN=5\tName=Ann\nFP PIN=5\tFID=1\tSize=4\tValid=1\tTMP=AAAA\n")
    await said(rig, "B2", b"USER PIN=5\tName=Eve\n")
    done = (await copy(rig)).json
    assert done["commands"] == 0
    assert ["conflict" in one["meaning"] for one in done["does_not_fit"]] == [True]
    await look(rig)
    assert (await rig.get("getrequest?SN=B2")).body == b"OK"
    assert (await places(rig, "5"))["B2"] == "refused"


@pytest_twisted.ensureDeferred
async def test_a_person_removed_here_is_not_copied_on(rig: Rig) -> None:
    """Parts that wait are dropped, and sent ones are deleted."""
    await other(rig, "A1")
    await other(rig, "B2")
    await said(rig, "A1", b"USER PIN=5\tName=Ann\nUSER PIN=6\tName=Bob\n")
    await copy(rig)
    await rig.api("DELETE", "/users/5")
    await look(rig)
    polled = (await rig.get("getrequest?SN=B2")).body
    assert b"PIN=5" not in polled
    assert b"PIN=6" in polled
    await rig.api("DELETE", "/users/6")
    await look(rig)
    await look(rig)
    commands = await rig.items("/devices/B2/commands")
    assert [one["params"]["PIN"] for one in commands if "DELETE" in one["command"]] == ["6"]


@pytest_twisted.ensureDeferred
async def test_nobody_is_copied_who_would_be_deleted_again(rig: Rig) -> None:
    """An area that distributes has to have them; adopt those of one of its terminals."""
    await other(rig, "A1", "North")
    await other(rig, "B2", "North")
    await said(rig, "A1", b"USER PIN=5\tName=Ann\nUSER PIN=6\tName=Bob\n")
    await person(rig, "5", areas=["South"])
    await distribute(rig, confirm=1)
    refused = await copy(rig)
    assert refused.status == 409
    assert "1 person of terminal A1 is not in the area North" in refused.json["detail"]
    assert (await copy(rig, dry_run=True)).json["outside"] == 1
    assert await rig.items("/devices/B2/users") == []
    dry = await rig.api("POST", "/devices/A1/adopt", {"dry_run": True})
    assert dry.json == {"area": "North", "distributes": True, "people": 2, "adopted": 1}
    assert (await rig.api("GET", "/users/5")).json["areas"] == ["South"]
    assert (await rig.api("POST", "/devices/A1/adopt", {})).json == dry.json
    assert (await rig.api("GET", "/users/5")).json["areas"] == ["North", "South"]
    done = await copy(rig)
    assert (done.status, done.json["outside"], done.json["commands"]) == (202, 0, 2)
    await look(rig)
    polled = (await rig.get("getrequest?SN=B2")).body
    assert polled.count(b"DATA UPDATE USERINFO") == 2


@pytest_twisted.ensureDeferred
async def test_conflicts_stay_conflicts_when_a_terminal_is_adopted(rig: Rig) -> None:
    """An adoption changes areas only; it is in the audit log."""
    await other(rig, "A1", "North")
    await other(rig, "B2", "South")
    await said(rig, "A1", b"USER PIN=5\tName=Ann\n")
    await said(rig, "B2", b"USER PIN=5\tName=Eve\nUSER PIN=6\tName=Bob\n")
    await rig.api("DELETE", "/users/6")
    adopted = await rig.api("POST", "/devices/B2/adopt", {})
    assert (adopted.json["people"], adopted.json["adopted"]) == (1, 1)
    shown = (await rig.api("GET", "/users/5")).json
    assert (shown["name"], shown["areas"]) == ("Ann", ["North", "South"])
    assert len(await rig.items("/conflicts")) == 1
    (act,) = [one for one in await rig.items("/audit") if one["action"] == "adopt people"]
    assert act["subject"] == "terminal B2"
    assert act["detail"].startswith("1 of 1 person into the area South;")


@pytest_twisted.ensureDeferred
async def test_a_copy_between_the_wrong_terminals_is_refused(rig: Rig) -> None:
    """Unknown ones, one with itself, and one that is not approved."""
    await other(rig, "A1")
    await other(rig, "B2")
    await rig.api("PATCH", "/devices/B2", {"state": "blocked"})
    for sn, source, status, words in (
        ("B9", "A1", 404, "There is no terminal B9."),
        ("A1", "A9", 404, "There is no terminal A9."),
        ("A1", "A1", 400, "has its own people already"),
        ("B2", "A1", 409, "is not approved"),
    ):
        refused = await copy(rig, sn, source)
        assert refused.status == status, refused.raw
        assert words in refused.json["detail"]
    assert (await rig.api("POST", "/devices/B9/adopt", {})).status == 404
