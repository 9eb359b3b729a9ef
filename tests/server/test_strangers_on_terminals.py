"""Terminals that have somebody else under a user ID, after a decision for one of the two."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.people.identifying import PATIENCE, UserQuestions
from zkpush.simulator.terminal import SimulatedTerminal

from ..rig import Rig
from .test_contested_parts import settle
from .test_distribution import distribute, enrol, fetch, fingers, held, joined, look, person, places

ANN, EVE = {("5", 1), ("5", 2)}, {("5", 2), ("5", 7)}


async def two_people(rig: Rig) -> tuple[SimulatedTerminal, SimulatedTerminal]:
    """Ann at A1 with fingers 1 and 2, and Eve at A2 with 2 and 7, under one user ID."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    for terminal, name, numbers in ((first, "Ann", ANN), (second, "Eve", EVE)):
        for _, number in sorted(numbers):
            await enrol(terminal, "5", name, number)
    return first, second


async def problems(rig: Rig) -> list[str]:
    """The details of the problems about people who are to be deleted on terminals."""
    found = await rig.items("/problems")
    return [one["detail"] for one in found if one["code"] == "removed person"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("choice", "name", "expected"),
    [
        ({"keep": "stored"}, "Ann", ANN),
        ({"keep": "terminal"}, "Eve", EVE),
        ({"fields": {"name": "Ada"}}, "Ada", ANN),
    ],
)
@pytest_twisted.ensureDeferred
async def test_terminals_hold_what_the_server_says_after_a_decision(
    either: Rig,
    choice: dict[str, Any],
    name: str,
    expected: set[tuple[str, int]],
) -> None:
    """Fingers of the other person are neither there nor stored, also those enrolled meanwhile."""
    first, second = await two_people(either)
    await distribute(either)
    await fetch(either, first, second)
    assert (fingers(first), fingers(second)) == (ANN, EVE)
    await settle(either, **choice)
    loser = first if name == "Eve" else second
    await enrol(loser, "5", held(loser)["5"], 8)
    await fetch(either, first, second)
    assert held(first) == held(second) == {"5": name}
    assert fingers(first) == fingers(second) == expected
    stored = await either.items("/users/5/templates")
    assert {one["number"] for one in stored} == {number for _, number in expected}
    assert (await either.items("/conflicts"), await problems(either)) == ([], [])
    counts = [len(first.executed), len(second.executed)]
    await fetch(either, first, second)
    assert [len(first.executed), len(second.executed)] == counts


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_commands_from_before_a_decision_bring_no_fingers_of_the_other_person(
    either: Rig,
) -> None:
    """They wait for a third terminal, which executes them after the decision."""
    first, second = await two_people(either)
    third = await joined(either, "A3")
    await distribute(either)
    await look(either)
    assert len(await either.items("/devices/A3/commands")) == 3
    either.clock.advance(1)
    await settle(either, keep="terminal")
    await third.poll()
    assert fingers(third) == ANN
    await fetch(either, first, second, third)
    assert held(first) == held(second) == held(third) == {"5": "Eve"}
    assert fingers(first) == fingers(second) == fingers(third) == EVE
    stored = await either.items("/users/5/templates")
    assert {one["number"] for one in stored} == {2, 7}
    assert await problems(either) == []


@pytest_twisted.ensureDeferred
async def test_the_terminal_of_the_chosen_person_keeps_no_fingers_from_earlier_commands(
    rig: Rig,
) -> None:
    """They waited for it since before it had the other person; it is sent her own fingers again."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    for number in (1, 2):
        await enrol(first, "5", "Ann", number)
    await look(rig)
    for number in (2, 7):
        await enrol(second, "5", "Eve", number)
    rig.clock.advance(1)
    await settle(rig, keep="terminal")
    await fetch(rig, first, second)
    assert held(first) == held(second) == {"5": "Eve"}
    assert fingers(first) == fingers(second) == EVE
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_what_a_clear_data_overtakes_brings_no_fingers_of_the_other_person(rig: Rig) -> None:
    """The commands that wait are executed after it."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    await fetch(rig, first, second)
    for number in (1, 2):
        await enrol(first, "5", "Ann", number)
    await look(rig)
    for number in (2, 7):
        await enrol(second, "5", "Eve", number)
    rig.clock.advance(1)
    await settle(rig, keep="terminal")
    assert (await rig.api("POST", "/devices/A2/commands", {"command": "CLEAR DATA"})).status == 202
    await second.poll()
    assert held(second) == {}
    await fetch(rig, first, second)
    assert held(first) == held(second) == {"5": "Eve"}
    assert fingers(first) == fingers(second) == EVE


@pytest_twisted.ensureDeferred
async def test_where_nobody_is_distributed_a_stranger_is_a_problem(rig: Rig) -> None:
    """Until the stranger is deleted there; nothing is deleted by itself."""
    first, second = await two_people(rig)
    assert await problems(rig) == []
    await settle(rig, keep="stored")
    await fetch(rig, first, second)
    assert (held(second), fingers(second)) == ({"5": "Eve"}, EVE)
    assert await problems(rig) == ["Terminal A2 still has somebody else under the user ID 5"]
    await enrol(second, "5", "Eve", 8)
    assert {one["number"] for one in await rig.items("/users/5/templates")} == {1, 2}
    assert (await rig.api("DELETE", "/devices/A2/users/5")).status == 202
    await fetch(rig, first, second)
    assert (held(second), await problems(rig)) == ({}, [])
    lines = b"USER PIN=5\tName=Ann\nFP PIN=5\tFID=9\tSize=4\tValid=1\tTMP=AAAA\n"
    await second.link.post("cdata", lines, table="OPERLOG", Stamp="1")
    assert {one["number"] for one in await rig.items("/users/5/templates")} == {1, 2, 9}


@pytest_twisted.ensureDeferred
async def test_a_stranger_under_the_name_of_the_person_is_still_a_stranger(rig: Rig) -> None:
    """Somebody has changed the name at the terminal; the fingers are those of the other person."""
    _, second = await two_people(rig)
    await settle(rig, keep="stored")
    await enrol(second, "5", "Eve", 8)
    await second.link.post("cdata", b"USER PIN=5\tName=Ann\n", table="OPERLOG", Stamp="1")
    assert await rig.items("/conflicts") == []
    assert {one["number"] for one in await rig.items("/users/5/templates")} == {1, 2}


@pytest_twisted.ensureDeferred
async def test_a_person_put_over_another_takes_none_of_the_other_fingers(rig: Rig) -> None:
    """The command settles the conflict for the stored person."""
    first, second = await two_people(rig)
    assert (await rig.api("PUT", "/devices/A2/users/5")).status == 202
    await fetch(rig, first, second)
    assert await rig.items("/conflicts") == []
    assert await problems(rig) == ["Terminal A2 still has somebody else under the user ID 5"]
    await distribute(rig)
    await fetch(rig, first, second)
    assert (held(second), fingers(second)) == ({"5": "Ann"}, ANN)


@pytest_twisted.ensureDeferred
async def test_a_stranger_outside_the_area_is_deleted(rig: Rig) -> None:
    """And nothing is sent there."""
    first, second = await two_people(rig)
    await distribute(rig)
    await person(rig, "5", areas=["South"])
    await settle(rig, keep="stored")
    await fetch(rig, first, second)
    assert held(first) == held(second) == {}
    assert await problems(rig) == []


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_late_finger_of_a_deleted_user_holds_nobody_back(
    either: Rig,
) -> None:
    """There is no conflict to settle; once the terminal was asked, the person is sent there."""
    first, second = await two_people(either)
    assert (await either.api("DELETE", "/devices/A2/users/5")).status == 202
    await settle(either, keep="stored")
    await fetch(either, first, second)
    late = b"FP PIN=5\tFID=7\tSize=4\tValid=1\tTMP=AAAA\n"
    await second.link.post("cdata", late, table="OPERLOG", Stamp="1")
    await distribute(either)
    await look(either)
    found = {one["device"]: one["meaning"] for one in await either.items("/users/5/places")}
    assert "conflict" in found["A2"], found
    assert await either.items("/conflicts") == []
    either.clock.advance(PATIENCE // 1000 + 1)
    (job,) = (one for one in either.daemon.jobs if isinstance(one, UserQuestions))
    await job.work()
    await fetch(either, first, second)
    assert (await either.api("POST", "/areas/North/repair")).status < 300
    await fetch(either, first, second)
    assert (held(second), fingers(second)) == ({"5": "Ann"}, ANN)
    assert await places(either, "5") == {"A1": "there", "A2": "there"}
