"""Completeness: the punches of a terminal are counted and compared, and missing ones fetched."""

from __future__ import annotations

import pytest_twisted

from zkpush.handlers.completeness.runner import CompletenessSurvey
from zkpush.simulator.faults import Faults

from ..rig import Rig
from .counting import (
    COUNT,
    DAY,
    count,
    outcome,
    poll,
    problems,
    row,
    runner,
    send_all,
    upload,
    verify,
)


@pytest_twisted.ensureDeferred
async def test_hidden_punches_are_found_and_fetched(rig: Rig) -> None:
    """Punches that never arrived are missed, fetched, and counted again, until all are stored."""
    terminal = rig.terminal("SIM1", faults=Faults(hide_punches=0.3))
    await terminal.exchange()
    for _ in range(20):
        terminal.punch()
        rig.clock.advance(1)
    await terminal.upload()
    made = len(terminal.outbox.everything())
    before = len(await rig.items("/attendance"))
    assert 0 < before < made
    run = await verify(rig, devices=["SIM1"], all=False)
    assert run["counts"]["waiting"] == 1
    for _ in range(3):
        assert await terminal.poll()
        await runner(rig).work()
    found = await outcome(rig, f"run={run['id']}")
    assert (found["state"], found["missing"]) == ("complete", 0)
    assert (found["counted"], found["stored"], found["fetched"]) == (made, made, made - before)
    assert found["meaning"] == f"{made} of {made}; {made - before} of them were fetched now"
    assert len(await rig.items("/attendance")) == made
    assert not await terminal.poll()
    assert await problems(rig, "SIM1") == []


@pytest_twisted.ensureDeferred
async def test_equal_numbers_need_no_query(rig: Rig) -> None:
    """A terminal without a missing record is asked once, after all commands of operators."""
    await rig.exchange()
    await upload(rig, row(1), row(2))
    await verify(rig)
    info = {"command": "INFO", "params": {}}
    await rig.api("POST", "/devices/T1/commands", info)
    await rig.api("POST", "/devices/T1/commands", {**info, "command": "CHECK", "priority": 1})
    assert [text for _, text in await poll(rig)] == ["CHECK"]  # ends its batch
    lines = await poll(rig)
    assert [text for _, text in lines] == [COUNT, "INFO"]
    command_id = lines[0][0]
    body = f"ID={command_id}&Return=0&CMD=VERIFY SUM&AttlogSum=2"
    await rig.post("devicecmd?SN=T1", body.encode())
    await runner(rig).work()
    found = await outcome(rig)
    assert (found["state"], found["meaning"]) == ("complete", "2 of 2")
    assert await poll(rig) == []


@pytest_twisted.ensureDeferred
async def test_fewer_records_on_the_terminal_are_no_alarm(rig: Rig) -> None:
    """Records may be removed from a terminal once they are stored."""
    await rig.exchange()
    await upload(rig, row(1), row(2), row(3))
    await verify(rig)
    await count(rig, 1)
    found = await outcome(rig)
    assert (found["state"], found["missing"]) == ("surplus", 0)
    assert found["meaning"].startswith("3 stored, 1 on the terminal. 2 were removed from")
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_verifications_that_a_terminal_does_not_count_are_named(rig: Rig) -> None:
    """An identity-card terminal stores two rows for a punch, and may count one."""
    await rig.exchange()
    await upload(rig, row(1), f"7\t{DAY} 08:00:01\t0\t1\t0\t0\t0\t1101\t1")
    await verify(rig)
    await count(rig, 1)
    words = "1 are checks of identity cards, which the terminal does not count"
    assert (await outcome(rig))["meaning"].endswith(words)


@pytest_twisted.ensureDeferred
async def test_equal_rows_are_no_shortfall(rig: Rig) -> None:
    """A terminal that sends as many rows as it counts holds equal ones, which are stored once."""
    await rig.exchange()
    await upload(rig, row(1), row(2))
    await verify(rig)
    await count(rig, 3)
    await send_all(rig, row(1), row(2), row(2))
    await count(rig, 3)
    found = await outcome(rig)
    assert (found["state"], found["counted"], found["stored"]) == ("complete", 3, 2)
    assert found["missing"] == 0
    assert found["meaning"] == ("3 of 3. 1 row on the terminal equal others, which are stored once")
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_a_shortfall_is_a_problem_until_a_later_count_agrees(rig: Rig) -> None:
    """The problem has the day and both numbers, and ends when nothing is missing."""
    await rig.exchange()
    await upload(rig, row(1), row(2))
    run = await verify(rig)
    await count(rig, 4)
    await send_all(rig, row(1), row(2), row(3))
    assert await problems(rig) == []  # not before it is counted again
    await count(rig, 4)
    found = await outcome(rig)
    assert (found["state"], found["missing"], found["fetched"]) == ("short", 1, 1)
    assert found["meaning"] == (
        "3 of 4; 1 of them were fetched now: 1 missing. The terminal sent 3 rows when it was "
        "asked for that day"
    )
    assert await problems(rig) == [
        f"Stored of the records that the terminal counts: {DAY}: 3 of 4."
    ]
    shown = (await rig.api("GET", f"/attendance/verify/{run['id']}")).json
    assert (shown["state"], shown["counts"]["short"]) == ("finished", 1)
    assert [one["id"] for one in shown["failed"]] == [found["id"]]
    (survey,) = (job for job in rig.daemon.jobs if isinstance(job, CompletenessSurvey))
    await survey.read()
    assert b"zkpush_completeness_short 1.0" in (await rig.api("GET", "/metrics", prefix="")).body
    # Another day that agrees does not hide this one.
    await upload(rig, row(4))
    await verify(rig)
    await count(rig, 4)
    assert (await outcome(rig))["state"] == "complete"
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_another_day_that_agrees_does_not_end_the_problem(rig: Rig) -> None:
    """Each day is proved by itself."""
    await rig.exchange()
    await verify(rig)
    await count(rig, 1)
    await send_all(rig)
    await count(rig, 1)
    assert len(await problems(rig)) == 1
    await verify(rig, since="2026-02-28")
    await count(rig, 0, COUNT.replace(DAY, "2026-02-28"))
    assert [one["state"] for one in await rig.items("/attendance/verify")] == ["short", "complete"]
    assert len(await problems(rig)) == 1


@pytest_twisted.ensureDeferred
async def test_rejects_of_the_day_are_named(rig: Rig) -> None:
    """A line that was not understood is missing, and the words say where it is."""
    await rig.exchange()
    await upload(rig, row(1), f"\t{DAY} 99:00:00\tx")
    assert len(await rig.items("/rejects")) == 1
    await verify(rig)
    await count(rig, 2)
    await send_all(rig, row(1))
    await count(rig, 2)
    found = await outcome(rig)
    assert (found["state"], found["rejects"]) == ("short", 1)
    assert "1 reject contains this date: `zkpush rejects list --device T1`" in found["meaning"]
    assert (await problems(rig))[0].endswith("1 reject contains these dates.")
