"""Completeness: when terminals are asked to count by themselves, and counts without an answer."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.model import DeviceState, Problem
from zkpush.persist.devices import DeviceStore
from zkpush.problems import ProblemCode

from ..rig import Rig
from .counting import (
    A_DAY,
    COUNT,
    DAY,
    NEXT,
    QUERY,
    count,
    outcome,
    poll,
    problems,
    row,
    runner,
    upload,
    verify,
)
from .test_queue import answer


@pytest.mark.parametrize("code", [-1002, -1])
@pytest_twisted.ensureDeferred
async def test_a_terminal_that_cannot_count_is_not_asked_every_night(make_rig, code: int) -> None:
    """It is shown in words, and its other days end with it; a month later it is asked again."""
    rig = await make_rig(completeness={"days": 2})
    await rig.exchange()
    await verify(rig, since=None, days=2)
    first, second = await poll(rig)
    await answer(rig, first[0], code, "T1")
    await answer(rig, second[0], code, "T1")
    await runner(rig).work()
    for found in await rig.items("/attendance/verify"):
        assert found["state"] == "unsupported"
        assert f"return code {code}" in found["detail"]
    assert await nights(rig, 3) == [0, 0, 0]
    rig.clock.advance(30 * A_DAY)
    assert await nights(rig, 1) == [2]


async def nights(rig: Rig, number: int) -> list[int]:
    """Let nights pass, and count what is planned in each."""
    planned = []
    for _ in range(number):
        before = await rig.items("/attendance/verify?limit=1000")
        now = rig.clock.seconds() % A_DAY
        rig.clock.advance(A_DAY - now + 3600)
        await runner(rig).plan()
        after = await rig.items("/attendance/verify?limit=1000")
        planned.append(len(after) - len(before))
        rig.clock.advance(4 * 3600)
        await runner(rig).work()
    return planned


@pytest_twisted.ensureDeferred
async def test_a_silent_terminal_ends_as_not_answered(rig: Rig) -> None:
    """It waits without a command in its queue, and then says why there is no outcome."""
    await rig.exchange()
    rig.clock.advance(A_DAY)
    run = await verify(rig, expires_in=600)
    assert await rig.items("/commands") == []
    assert (await outcome(rig))["state"] == "waiting"
    rig.clock.advance(601)
    await runner(rig).work()
    found = await outcome(rig)
    assert (found["state"], found["detail"]) == ("not_answered", "It was not connected.")
    assert found["meaning"].startswith("The terminal was not connected, or did not answer in time.")
    shown = (await rig.api("GET", f"/attendance/verify/{run['id']}")).json
    assert shown["state"] == "finished"
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_does_not_answer_is_asked_again(rig: Rig) -> None:
    """A busy terminal waits ten minutes; a silent one is asked again until its time is over."""
    await rig.exchange()
    await verify(rig, expires_in=7200)
    ((command_id, _),) = await poll(rig)
    await answer(rig, command_id, -1005, "T1")
    await runner(rig).work()
    assert (await outcome(rig))["state"] == "waiting"
    await runner(rig).work()
    assert await poll(rig) == []
    rig.clock.advance(601)
    await poll(rig)
    await runner(rig).work()
    ((second, _),) = await poll(rig)
    assert second != command_id
    rig.clock.advance(1500)
    assert await rig.daemon.queue.end_overdue() == 1
    await runner(rig).work()
    found = await outcome(rig)
    assert found["state"] == "waiting"
    rig.clock.advance(7200)
    await runner(rig).work()
    found = await outcome(rig)
    assert found["state"] == "not_answered"
    assert found["detail"].startswith("It was sent (once) and not answered")


@pytest_twisted.ensureDeferred
async def test_a_night_asks_each_terminal_once(make_rig) -> None:
    """Days before the present one, at a random time of its night; proved days are left out."""
    rig = await make_rig(completeness={"days": 3, "begin": "02:00", "end": "04:00"})
    await rig.exchange()
    rig.clock.advance(13.5 * 3600)  # 01:30
    await runner(rig).plan()
    assert await rig.items("/attendance/verify") == []
    rig.clock.advance(1800)
    await runner(rig).plan()
    await runner(rig).plan()
    found = await rig.items("/attendance/verify")
    assert [one["day"] for one in found] == ["2026-02-27", "2026-02-28", DAY]
    assert {one["run"] for one in found} == {None}
    rig.clock.advance(1.6 * 3600)
    await poll(rig)
    await runner(rig).work()
    for command_id, _ in await poll(rig):
        body = f"ID={command_id}&Return=0&CMD=VERIFY SUM&AttlogSum=0"
        await rig.post("devicecmd?SN=T1", body.encode())
    await runner(rig).work()
    states = [one["state"] for one in await rig.items("/attendance/verify")]
    assert states == ["complete"] * 3
    rig.clock.advance(23 * 3600)
    await runner(rig).plan()
    (found,) = await rig.items("/attendance/verify?state=waiting")
    assert found["day"] == NEXT


@pytest_twisted.ensureDeferred
async def test_the_night_is_that_of_the_terminal(make_rig) -> None:
    """Noon in Europe is night in Hawaii, and the day before is another one."""
    rig = await make_rig(timezone="Pacific/Honolulu", completeness={"days": 1})
    await rig.exchange()
    await runner(rig).plan()  # 02:00 there
    assert [one["day"] for one in await rig.items("/attendance/verify")] == ["2026-02-28"]


@pytest_twisted.ensureDeferred
async def test_no_night_without_the_setting(make_rig) -> None:
    """A site may leave the nights to its terminals."""
    rig = await make_rig(completeness={"nightly": False})
    await rig.exchange()
    assert await nights(rig, 2) == [0, 0]


@pytest_twisted.ensureDeferred
async def test_a_day_that_was_not_over_is_counted_again(make_rig) -> None:
    """A count of the present day proves nothing about the rest of it."""
    rig = await make_rig(completeness={"days": 1})
    await rig.exchange()
    await verify(rig)
    await count(rig, 0)
    assert (await outcome(rig))["state"] == "complete"
    assert await nights(rig, 1) == [1]


@pytest_twisted.ensureDeferred
async def test_a_few_terminals_are_asked_at_a_time(make_rig) -> None:
    """The next one follows when one has answered, and terminals that are away hold up nobody."""
    rig = await make_rig(completeness={"at_once": 2})
    await rig.store.write(lambda tx: tx[DeviceStore].add("T0", DeviceState.APPROVED, "UTC", 0))
    for number in range(1, 5):
        await rig.exchange(f"T{number}")
    await verify(rig)
    asked = [sn for sn in ("T1", "T2", "T3", "T4") if await poll(rig, sn)]
    assert asked == ["T1", "T2"]
    commands = await rig.items("/commands")
    assert [one["state"] for one in commands] == ["sent", "sent"]
    body = f"ID={commands[0]['id']}&Return=0&CMD=VERIFY SUM&AttlogSum=0"
    await rig.post(f"devicecmd?SN={commands[0]['device']}", body.encode())
    await runner(rig).work()
    assert [sn for sn in ("T3", "T4") if await poll(rig, sn)] == ["T3"]


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_cannot_be_asked_is_said_in_words(make_rig) -> None:
    """Without a zone a day has no meaning; in another mode the command would do harm."""
    rig = await make_rig(timezone=None)

    def unit(tx):
        tx[DeviceStore].add("Z1", DeviceState.APPROVED, None, 0)
        acc = tx[DeviceStore].add("Z2", DeviceState.APPROVED, "UTC", 0)
        problem = Problem(
            ProblemCode.ACCESS_CONTROL, "It says that it is for access control (DeviceType=acc).", 0
        )
        tx[DeviceStore].change(acc.id, {"problems": (problem,)})
        tx[DeviceStore].add("Z3", DeviceState.PENDING, "UTC", 0)

    await rig.store.write(unit)
    run = await verify(rig, all=False, devices=["Z1", "Z2", "Z3"])
    assert run["counts"]["unsupported"] == 3
    words = [one["detail"] for one in run["failed"]]
    assert "`zkpush devices set Z1 timezone=ZONE`, such as Europe/Berlin" in words[0]
    assert "access-control mode" in words[1]
    assert words[2] == "The terminal is not approved."


@pytest_twisted.ensureDeferred
async def test_a_cancelled_count_ends_in_words(rig: Rig) -> None:
    """An operator may cancel the command; a shortfall that was found before stays one."""
    await rig.exchange()
    await verify(rig)
    ((command_id, _),) = await poll(rig)
    assert (await rig.api("DELETE", f"/commands/{command_id}")).status == 204
    await runner(rig).work()
    assert (await outcome(rig))["state"] == "cancelled"
    await verify(rig)
    await count(rig, 1)
    ((command_id, _),) = await poll(rig)
    assert (await rig.api("DELETE", f"/commands/{command_id}")).status == 204
    await runner(rig).work()
    found = await outcome(rig)
    assert (found["state"], found["meaning"]) == (
        "short",
        "0 of 1: 1 missing. It was cancelled after it was sent, and is not sent again; the "
        "terminal may execute it.",
    )


@pytest_twisted.ensureDeferred
async def test_a_number_that_is_none_is_a_refusal(rig: Rig) -> None:
    """A terminal that answers without a usable number cannot prove anything."""
    await rig.exchange()
    await verify(rig)
    await count(rig, "many")
    found = await outcome(rig)
    assert (found["state"], found["detail"]) == ("unsupported", "It answered without a number.")


@pytest.mark.parametrize("steps_before", range(4))
@pytest_twisted.ensureDeferred
async def test_a_killed_process_goes_on_where_it_was(make_rig, tmp_path, steps_before: int) -> None:
    """At each step, the next process has the state and asks no question twice."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    rig = await make_rig(database=database)
    await rig.exchange()
    await upload(rig, row(1))
    reply = await rig.api("POST", "/attendance/verify", {"since": DAY, "all": True})
    assert reply.status == 202

    async def restarted(step: int) -> None:
        nonlocal rig
        if step == steps_before:
            await rig.stop()
            rig = await make_rig(database=database)
            await poll(rig)
        await runner(rig).work()

    await restarted(0)
    await count_again(rig, COUNT)
    await restarted(1)
    ((command_id, text),) = await poll_again(rig)
    assert text == QUERY
    await upload(rig, row(1), row(2))
    await answer(rig, command_id, 0, "T1")
    await restarted(2)
    await count_again(rig, COUNT)
    await restarted(3)
    found = await outcome(rig)
    assert (found["state"], found["counted"], found["fetched"]) == ("complete", 2, 1)
    names = [one["command"] for one in await rig.items("/commands")]
    assert names == ["VERIFY SUM ATTLOG", "DATA QUERY ATTLOG", "VERIFY SUM ATTLOG"]


async def poll_again(rig: Rig) -> list[tuple[str, str]]:
    """The commands of a poll, sent again after their lease if the process before sent them."""
    found = await poll(rig)
    if not found:
        rig.clock.advance(301)
        found = await poll(rig)
    return found


async def count_again(rig: Rig, text: str) -> None:
    """Answer the command to count with 2, without work of the runner."""
    ((command_id, found),) = await poll_again(rig)
    assert found == text
    body = f"ID={command_id}&Return=0&CMD=VERIFY SUM&AttlogSum=2"
    await rig.post("devicecmd?SN=T1", body.encode())
