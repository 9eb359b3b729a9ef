"""One person who is sent to terminals; nobody else is, and no area is switched."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from zkpush.simulator.model import CLASSIC

from ..rig import Rig
from .test_copy import other, said
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


async def send(rig: Rig, pin: str = "5", **body: Any) -> Any:
    """Send a person; the reply."""
    return await rig.api("POST", f"/users/{pin}/send", body)


async def states(rig: Rig, pin: str = "5", **body: Any) -> dict[str, str]:
    """The states by terminal, of a person who is sent."""
    done = await send(rig, pin, **body)
    assert done.status == 202, done.raw
    return {one["device"]: one["state"] for one in done.json["items"]}


@pytest_twisted.ensureDeferred
async def test_a_person_comes_with_templates_to_all_terminals(rig: Rig) -> None:
    """A dry run sends nothing; a second time, all have the person; later changes are not sent."""
    first = await joined(rig, "A1", "South")
    second, third = await joined(rig, "B2", "North", CLASSIC), await joined(rig, "C3", "East")
    await enrol(first, "5", "Ann")
    await enrol(first, "6", "Bob")
    await fetch(rig, first, second, third)
    expected = {"A1": "there", "B2": "sent", "C3": "sent"}
    assert await states(rig, all=True, dry_run=True) == expected
    await fetch(rig, second, third)
    assert held(second) == held(third) == {}
    assert [one for one in await rig.items("/audit") if one["action"] == "send person"] == []

    done = await send(rig, all=True)
    assert [one["commands"] for one in done.json["items"]] == [0, 2, 2]
    await fetch(rig, first, second, third)
    for terminal in (second, third):
        assert held(terminal) == {"5": "Ann"}
        assert fingers(terminal) == {("5", 1)}
    acts = [one["detail"] for one in await rig.items("/audit") if one["action"] == "send person"]
    assert sorted(one.split(";")[0] for one in acts) == [
        "to terminal B2: 2 commands",
        "to terminal C3: 2 commands",
    ]
    assert await states(rig, all=True) == dict.fromkeys(expected, "there")
    await rig.api("PUT", "/users/5", {"name": "Anna"})
    await fetch(rig, second)
    assert held(second) == {"5": "Ann"}
    assert (await states(rig, devices=["B2"])) == {"B2": "sent"}
    await fetch(rig, second)
    assert held(second) == {"5": "Anna"}


@pytest_twisted.ensureDeferred
async def test_the_first_one_who_is_sent_and_removed_at_once_is_deleted(rig: Rig) -> None:
    """Where the person was already: no area of the site distributes, and nobody was sent before."""
    terminal = await joined(rig, "A1")
    await enrol(terminal, "5", "Ann")
    assert await states(rig, all=True) == {"A1": "there"}
    assert (await rig.api("DELETE", "/users/5")).status == 200
    await fetch(rig, terminal)
    assert held(terminal) == {}


@pytest_twisted.ensureDeferred
async def test_a_person_without_templates_and_terminals_is_sent(rig: Rig) -> None:
    """A person who was added here; the terminal has nothing else to do."""
    terminal = await joined(rig, "A1")
    await person(rig, "5", name="Ann", areas=["South"])
    assert await states(rig, devices=["A1", "A1"]) == {"A1": "sent"}
    await fetch(rig, terminal)
    assert held(terminal) == {"5": "Ann"}
    assert len(terminal.executed) == 1


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_would_delete_the_person_gets_nothing(rig: Rig) -> None:
    """The reply says what to do; others are sent the person all the same."""
    keeping, plain = await joined(rig, "A1", "North"), await joined(rig, "B2", "South")
    await distribute(rig)
    await person(rig, "5", name="Ann", areas=["South"])
    found = (await send(rig, all=True)).json["items"]
    assert [(one["device"], one["state"]) for one in found] == [("A1", "not_sent"), ("B2", "sent")]
    assert "would delete the person again. Add the person to the area North." in found[0]["meaning"]
    await fetch(rig, keeping, plain)
    assert (held(keeping), held(plain)) == ({}, {"5": "Ann"})
    await person(rig, "5", areas=["North", "South"])
    await fetch(rig, keeping, plain)
    assert held(keeping) == {"5": "Ann"}
    assert await states(rig, all=True) == {"A1": "there", "B2": "there"}


@pytest_twisted.ensureDeferred
async def test_only_approved_terminals_get_the_person(rig: Rig) -> None:
    """A blocked or unapproved one is named with the reason; `all` leaves it out."""
    await joined(rig, "A1")
    await joined(rig, "A2")
    await rig.api("PATCH", "/devices/A2", {"state": "blocked"})
    await rig.exchange("A3")
    await rig.api("PATCH", "/devices/A3", {"area": "North"})
    unapproved = [one["sn"] for one in await rig.items("/devices") if one["state"] != "approved"]
    await person(rig, "5", name="Ann")
    found = (await send(rig, devices=["A2", "A3", "A1"])).json["items"]
    assert {one["device"] for one in found if one["state"] == "not_sent"} == {*unapproved}
    assert found[0]["meaning"] == "Terminal A2 is not approved; approve it first."
    assert {*await states(rig, all=True)} == {"A1", "A2", "A3"}.difference(unapproved)
    assert "A2" in unapproved


@pytest_twisted.ensureDeferred
async def test_requests_that_name_nobody_or_nothing_are_refused(rig: Rig) -> None:
    """Nothing is sent, not even to the terminals that exist."""
    await joined(rig, "A1")
    await person(rig, "5", name="Ann")
    for pin, body, status, words in (
        ("5", {"devices": ["A1", "A9"]}, 400, "There is no terminal 'A9'."),
        ("5", {}, 400, "give either `devices`, or `area`, or `all`"),
        ("5", {"all": True, "devices": ["A1"]}, 400, "give either"),
        ("5", {"devices": []}, 400, "devices"),
        ("6", {"all": True}, 404, "There is no user 6."),
    ):
        refused = await send(rig, pin, **body)
        assert refused.status == status, refused.raw
        assert words in refused.json["detail"]
    assert await places(rig, "5") == {}


@pytest_twisted.ensureDeferred
async def test_what_does_not_fit_or_contradicts_is_said_per_terminal(rig: Rig) -> None:
    """With the reason, and nothing is sent there."""
    await wired(rig, "A1")
    await rig.post("cdata?SN=A1&table=options", b"~PIN2Width=3")
    await person(rig, "12345", name="Ann")
    (found,) = (await send(rig, "12345", devices=["A1"])).json["items"]
    assert (found["state"], found["commands"]) == ("not_sent", 0)
    (misfit,) = found["does_not_fit"]
    assert "at most 3" in misfit["meaning"]
    await other(rig, "B2")
    await person(rig, "5", name="Ann")
    await said(rig, "B2", b"USER PIN=5\tName=Eve\n")
    (found,) = (await send(rig, devices=["B2"])).json["items"]
    assert found["state"] == "not_sent"
    assert "conflict" in found["does_not_fit"][0]["meaning"]


@pytest_twisted.ensureDeferred
async def test_a_terminal_with_an_earlier_holder_of_the_user_id_gets_nothing(rig: Rig) -> None:
    """The finger of the earlier person would pass as the new one's."""
    await wired(rig, "A1")
    await said(rig, "A1", b"USER PIN=5\tName=Eve\nFP PIN=5\tFID=1\tSize=4\tValid=1\tTMP=AAAA\n")
    assert (await rig.api("DELETE", "/users/5")).status == 200
    await person(rig, "5", name="Ann", areas=["South"])
    (found,) = (await send(rig, devices=["A1"])).json["items"]
    assert found["state"] == "not_sent"
    assert "somebody else under this user ID" in found["meaning"]
    await look(rig)
    assert b"Ann" not in (await rig.get("getrequest?SN=A1")).body


@pytest_twisted.ensureDeferred
async def test_a_limited_token_sends_within_its_areas(rig: Rig) -> None:
    """All are the terminals of its areas; another terminal or person does not exist."""
    await joined(rig, "A1")
    await joined(rig, "B2", "South")
    await person(rig, "5", name="Ann")
    await person(rig, "6", name="Bob", areas=["South"])
    body = {"name": "north", "scopes": ["read", "write"], "areas": ["North"]}
    token = (await rig.api("POST", "/tokens", body)).json["token"]

    async def asked(pin: str, given: dict[str, Any]) -> Any:
        return await rig.api(
            "POST", f"/users/{pin}/send", given, headers=[f"Authorization: Bearer {token}"]
        )

    assert (await asked("5", {"devices": ["B2"]})).status == 400
    assert (await asked("6", {"all": True})).status == 404
    done = await asked("5", {"all": True})
    assert [one["device"] for one in done.json["items"]] == ["A1"]
    assert await places(rig, "5") == {"A1": "on_its_way"}
