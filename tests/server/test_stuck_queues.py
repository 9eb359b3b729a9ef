"""A connected terminal that does not fetch or does not answer its commands is a problem."""

from __future__ import annotations

import pytest_twisted

from zkpush.handlers.commands.jobs import QueueWatch
from zkpush.problems import ProblemCode

from ..rig import Rig

QUEUED = "2026-03-01T12:00:00.000Z"


async def problems(rig: Rig) -> list[str]:
    """The details of this problem, after the job has looked."""
    (job,) = (job for job in rig.daemon.jobs if isinstance(job, QueueWatch))
    await job.look()
    found = await rig.items("/problems?device=T1")
    return [one["detail"] for one in found if one["code"] == ProblemCode.QUEUE_STUCK]


async def queue(rig: Rig, command: str = "INFO") -> None:
    """Queue a command for the terminal."""
    queued = await rig.api("POST", "/devices/T1/commands", {"command": command})
    assert queued.status == 202


async def answer(rig: Rig) -> None:
    """Fetch the commands that are due, and answer them."""
    lines = (await rig.get("getrequest?SN=T1")).body.splitlines()
    for line in lines:
        number, name = line.decode().split(":")[1:]
        await rig.post("devicecmd?SN=T1", f"ID={number}&Return=0&CMD={name}".encode())


async def uploads(rig: Rig) -> None:
    """The terminal is connected, without a poll."""
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"7\t2026-03-01 08:00:00\t0\t1\n")


@pytest_twisted.ensureDeferred
async def test_commands_that_nobody_fetches_are_a_problem_until_they_are_fetched(rig: Rig) -> None:
    """After ten minutes, while the terminal is connected; it names what is missing."""
    await rig.exchange()
    await queue(rig)
    rig.clock.advance(599)
    await uploads(rig)
    assert await problems(rig) == []
    rig.clock.advance(2)
    await uploads(rig)
    said = f"It has not asked for commands (no getrequest) since INFO was queued at {QUEUED}."
    assert await problems(rig) == [said]
    rig.clock.advance(3600)
    assert await problems(rig) == [said], "it is not over when the terminal is gone"
    await answer(rig)
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_commands_of_a_terminal_that_is_not_connected_are_no_problem_of_their_own(
    rig: Rig,
) -> None:
    """That it is silent is the problem."""
    await rig.exchange()
    await queue(rig)
    rig.clock.advance(3600)
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_commands_that_are_fetched_and_never_answered_are_a_problem(rig: Rig) -> None:
    """The detail names the command, and stays the same when it is fetched again."""
    await rig.exchange()
    await queue(rig)
    for _ in range(3):
        assert b":INFO" in (await rig.get("getrequest?SN=T1")).body
        rig.clock.advance(400)
    await uploads(rig)
    said = [f"It fetched INFO, queued at {QUEUED}, and has not answered."]
    assert await problems(rig) == said
    await rig.get("getrequest?SN=T1")
    assert await problems(rig) == said


@pytest_twisted.ensureDeferred
async def test_a_long_queue_that_is_worked_off_is_no_problem(make_rig) -> None:
    """Answers came lately, although the oldest command has waited for long."""
    rig: Rig = await make_rig(commands={"batch_count": 1})
    await rig.exchange()
    for command in ("INFO", "CHECK", "LOG"):
        await queue(rig, command)
    rig.clock.advance(1200)
    await answer(rig)
    assert await problems(rig) == []
    checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    assert {one["name"]: one["state"] for one in checks}["queue"] == "ok"


@pytest_twisted.ensureDeferred
async def test_commands_that_are_held_back_are_not_called_unfetched(rig: Rig) -> None:
    """The terminal polls, and is asked for the exchange each time."""
    await rig.exchange()
    await queue(rig)
    await rig.api("PATCH", "/devices/T1", {"token": "require"})
    rig.clock.advance(1200)
    assert (await rig.get("getrequest?SN=T1")).body == b"UNKNOWN DEVICE"
    assert await problems(rig) == []
