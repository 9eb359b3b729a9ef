"""Terminals that were emptied, and where somebody enrolled before the server looked at them."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.people.returns import ErasedReturns

from ..rig import Rig
from .test_distribution import distribute, look, person

COUNTED = "INFO=Ver%208.0,{users},0,0,10.0.0.5,10,7"
"""Update information with the number of users (9)."""


async def said(rig: Rig, *pins: str) -> None:
    """Let the terminal state people, always in the same words."""
    rig.clock.advance(1)
    rows = "".join(f"USER PIN={pin}\tName=P{pin}\n" for pin in pins)
    rows += "".join(f"FP PIN={pin}\tFID=1\tTMP=AAAA\n" for pin in pins)
    assert (await rig.post("cdata?SN=A1&table=OPERLOG&Stamp=1", rows.encode())).status == 200


async def executed(rig: Rig, users: int = 2) -> list[str]:
    """Let the server look, and the terminal execute what it gets; returns that."""
    found: list[str] = []
    for _ in range(4):
        await look(rig)
        for job in rig.daemon.jobs:
            if isinstance(job, ErasedReturns):
                await job.work()
        polled = (await rig.get(f"getrequest?SN=A1&{COUNTED.format(users=users)}")).body
        for line in polled.decode().splitlines() if polled != b"OK" else ():
            _, id, text = line.split(":", 2)
            found.append(text)
            done = f"ID={id}&Return=0&CMD=DATA".encode()
            assert (await rig.post("devicecmd?SN=A1", done)).status == 200
    return found


async def clear(rig: Rig) -> None:
    """Let the terminal execute a command that empties it."""
    made = await rig.api("POST", "/devices/A1/commands", {"command": "CLEAR DATA"})
    assert made.status == 202, made.raw
    assert b"CLEAR DATA" in (await rig.get("getrequest?SN=A1")).body
    done = f"ID={made.json['id']}&Return=0&CMD=CLEAR_DATA".encode()
    assert (await rig.post("devicecmd?SN=A1", done)).status == 200


async def reset(rig: Rig) -> None:
    """Let the terminal report that it has nobody."""
    rig.clock.advance(10)
    await rig.get(f"getrequest?SN=A1&{COUNTED.format(users=0)}")
    rig.clock.advance(1)


@pytest.mark.parametrize("empty", [clear, reset])
@pytest_twisted.ensureDeferred
async def test_who_enrolled_after_a_terminal_was_emptied_is_not_forgotten(rig: Rig, empty) -> None:
    """Who is known stays and is sent nothing; removed and erased people are deleted."""
    await rig.api("PUT", "/devices/A1", {"state": "approved", "area": "North"})
    await rig.exchange("A1")
    await distribute(rig)
    await said(rig, "5", "6", "7", "8")
    assert await executed(rig) == []
    assert (await rig.api("DELETE", "/users/6")).status == 200
    assert (await rig.api("DELETE", "/users/7?erase=true")).status == 200
    deletions = {f"DATA DELETE USERINFO PIN={pin}" for pin in "67"}
    assert {*await executed(rig)} == deletions

    await empty(rig)
    await said(rig, "5", "6", "7")
    found = await executed(rig, users=3 if empty is clear else 0)
    assert {*found} >= deletions
    assert not [text for text in found if "PIN=5" in text]
    assert [text for text in found if "UPDATE" in text and "PIN=8" in text]
    states = {one["pin"]: one["state"] for one in await rig.items("/devices/A1/users")}
    assert states == {"5": "there", "8": "there"}


@pytest.mark.parametrize("empty", [clear, reset])
@pytest_twisted.ensureDeferred
async def test_who_was_there_before_is_sent_again(rig: Rig, empty) -> None:
    """Also if the terminal had stated the person in these words several times."""
    await rig.api("PUT", "/devices/A1", {"state": "approved", "area": "North"})
    await rig.exchange("A1")
    await distribute(rig)
    await said(rig, "5")
    await said(rig, "5")
    assert await executed(rig, users=1) == []
    await empty(rig)
    sent = await executed(rig, users=0)
    assert [text.split("\t")[0] for text in sent if "USERINFO" in text] == [
        "DATA UPDATE USERINFO PIN=5"
    ]


@pytest_twisted.ensureDeferred
async def test_what_a_terminal_executed_just_before_it_was_emptied_is_sent_again(rig: Rig) -> None:
    """Answers that come together have one time."""
    await rig.api("PUT", "/devices/A1", {"state": "approved", "area": "North"})
    await rig.exchange("A1")
    await distribute(rig)
    await rig.api("PUT", "/users/5", {"name": "Ann", "areas": ["North"]})
    await look(rig)
    await rig.api("POST", "/devices/A1/commands", {"command": "CLEAR DATA"})
    lines = [line for _ in range(2) for line in (await rig.get("getrequest?SN=A1")).body.split()]
    ids = [line.split(b":")[1].decode() for line in lines if line.startswith(b"C:")]
    assert len(ids) == 2
    answers = "".join(f"ID={id}&Return=0&CMD=DATA\n" for id in ids)
    assert (await rig.post("devicecmd?SN=A1", answers.encode())).status == 200
    assert [text for text in await executed(rig, users=0) if "UPDATE USERINFO PIN=5" in text]


async def leaves_behind_a_clear_data(rig: Rig) -> None:
    """A command for a person waits, overtaken by CLEAR DATA, when the person changes the area."""
    await rig.exchange("A1")
    await rig.api("PATCH", "/devices/A1", {"state": "approved", "area": "North"})
    await distribute(rig)
    await executed(rig)
    await person(rig, "5", name="Ann")
    await person(rig, "6", name="Bob")
    await look(rig)
    await clear(rig)
    rig.clock.advance(1)
    await person(rig, "5", name="Ann", areas=["South"])
    found = [text for text in await executed(rig) if "PIN=5" in text]
    assert found[-1] == "DATA DELETE USERINFO PIN=5"
    states = {one["pin"]: one["state"] for one in await rig.items("/devices/A1/users")}
    assert states == {"6": "there"}


@pytest_twisted.ensureDeferred
async def test_who_leaves_while_a_terminal_is_emptied_is_deleted_there(rig: Rig) -> None:
    """The command that waited before puts the person on the terminal after it was emptied."""
    await leaves_behind_a_clear_data(rig)


@pytest_twisted.ensureDeferred
async def test_who_leaves_while_a_terminal_is_emptied_is_deleted_on_postgresql(
    make_rig: Any, postgres_url: str
) -> None:
    """As on SQLite."""
    await leaves_behind_a_clear_data(await make_rig(database=postgres_url))


@pytest_twisted.ensureDeferred
async def test_a_template_that_came_before_its_user_is_sent_again(rig: Rig) -> None:
    """An emptied terminal refuses it, because the user is sent later; the next one succeeds."""
    await rig.exchange("A1")
    await rig.api("PATCH", "/devices/A1", {"state": "approved", "area": "North"})
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await executed(rig)
    await rig.exchange("A2")
    await rig.api("PATCH", "/devices/A2", {"state": "approved", "area": "North"})
    rows = b"USER PIN=5\tName=Ann\nFP PIN=5\tFID=1\tTMP=AAAA\n"
    assert (await rig.post("cdata?SN=A2&table=OPERLOG&Stamp=1", rows)).status == 200
    await look(rig)
    template = (await rig.get("getrequest?SN=A1")).body.decode()
    assert "FINGERTMP" in template, template
    id = template.split(":")[1]
    assert (
        await rig.post("devicecmd?SN=A1", f"ID={id}&Return=-10&CMD=DATA".encode())
    ).status == 200
    assert [text for text in await executed(rig) if "FINGERTMP" in text]
    assert (await rig.items("/users/5/places"))[0]["state"] == "there"
