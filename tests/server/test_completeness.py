"""Completeness: terminals count their records, and missing ones are fetched (12.3.3)."""

from __future__ import annotations

import pathlib

import pytest
import pytest_twisted

from zkpush.handlers.completeness.life import CountEvent, next_state, transitions
from zkpush.handlers.completeness.model import OPEN_COUNTS, CountState
from zkpush.handlers.completeness.runner import CompletenessRunner, CompletenessSurvey
from zkpush.model import DeviceState, Page, Problem
from zkpush.persist.audit import AuditStore
from zkpush.persist.devices import DeviceStore
from zkpush.problems import ProblemCode
from zkpush.protocol.fields import Scope
from zkpush.simulator.faults import Faults

from ..rig import Rig
from .test_queue import answer

DAY, NEXT = "2026-03-01", "2026-03-02"
PERIOD = f"StartTime={DAY} 00:00:00\tEndTime={DAY} 23:59:59"
COUNT = f"VERIFY SUM ATTLOG {PERIOD}"
QUERY = f"DATA QUERY ATTLOG {PERIOD}"
A_DAY = 24 * 3600
ROOT = pathlib.Path(__file__).parents[2]


def runner(rig: Rig) -> CompletenessRunner:
    """The runner of a daemon."""
    (found,) = (job for job in rig.daemon.jobs if isinstance(job, CompletenessRunner))
    return found


async def verify(rig: Rig, status: int = 202, **body: object) -> dict:
    """Make a request by the API, and do what is due."""
    reply = await rig.api("POST", "/attendance/verify", {"since": DAY, "all": True, **body})
    assert reply.status == status, reply.raw
    await runner(rig).work()
    return reply.json


async def poll(rig: Rig, sn: str = "T1") -> list[tuple[str, str]]:
    """The commands of a poll: each its ID and text."""
    lines = (await rig.get(f"getrequest?SN={sn}")).body.decode().splitlines()
    return [tuple(line.split(":", 2)[1:]) for line in lines if line != "OK"]


async def count(rig: Rig, number: int | str, text: str = COUNT, sn: str = "T1") -> None:
    """Answer the command to count with a number, as a terminal does, and do what is due."""
    ((command_id, found),) = await poll(rig, sn)
    assert found == text
    body = f"ID={command_id}&Return=0&CMD=VERIFY SUM&{PERIOD.replace(chr(9), '&')}"
    await rig.post(f"devicecmd?SN={sn}", f"{body}&AttlogSum={number}".encode())
    await runner(rig).work()


async def send_all(rig: Rig, *rows: str, code: int = 0) -> None:
    """Answer the query with rows, and do what is due."""
    ((command_id, found),) = await poll(rig)
    assert found == QUERY
    if rows:
        await upload(rig, *rows)
    await answer(rig, command_id, code, "T1")
    await poll(rig)  # a query without records ends at the next poll
    await runner(rig).work()


async def upload(rig: Rig, *rows: str, sn: str = "T1") -> None:
    """Upload attendance records."""
    body = "".join(f"{row}\n" for row in rows)
    assert (await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", body.encode())).status == 200


def row(second: int, pin: str = "7") -> str:
    """A punch of the day."""
    return f"{pin}\t{DAY} 08:00:{second:02}\t0\t1\t0\t0\t0"


async def outcome(rig: Rig, query: str = "order=desc&limit=1") -> dict:
    """The newest outcome."""
    (found,) = await rig.items(f"/attendance/verify?{query}")
    return found


async def problems(rig: Rig, sn: str = "T1") -> list[str]:
    """The details of the problem of missing records."""
    found = (await rig.api("GET", f"/problems?device={sn}")).json["items"]
    return [one["detail"] for one in found if one["code"] == ProblemCode.RECORDS_MISSING]


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
        problem = Problem(ProblemCode.ACCESS_CONTROL, "It says DeviceType=acc.", 0)
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


@pytest_twisted.ensureDeferred
async def test_the_list_has_filters_and_pages(rig: Rig) -> None:
    """By terminal, state, request and days; with cursors, and as CSV."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    run = await verify(rig, since="2026-02-26", until="2026-02-28")
    other = await verify(rig, devices=["T2"], all=False)
    everything = await rig.items("/attendance/verify")
    assert len(everything) == 7
    for query, number in (
        ("device=T1", 3),
        (f"run={run['id']}", 6),
        (f"run={other['id']}", 1),
        ("state=complete", 0),
        ("since=2026-02-28", 3),
        ("since=2026-02-27&until=2026-02-27", 2),
    ):
        assert len(await rig.items(f"/attendance/verify?{query}")) == number, query
    first = (await rig.api("GET", "/attendance/verify?limit=4")).json
    second = (await rig.api("GET", f"/attendance/verify?limit=4&after={first['next']}")).json
    assert first["items"] + second["items"] == everything
    assert second["next"] is None
    token = "Authorization: Bearer rig-token"
    csv = await rig.api("GET", "/attendance/verify", headers=(token, "Accept: text/csv"))
    assert len(csv.body.decode().splitlines()) == 8


@pytest_twisted.ensureDeferred
async def test_mistakes_of_a_request(rig: Rig) -> None:
    """Each is refused in words, and nothing is stored."""
    await rig.exchange()
    for body, words in (
        ({"all": False}, "either `devices`, or `area`, or `all`"),
        ({"all": False, "devices": ["T9"]}, "There is no terminal 'T9'."),
        ({"all": False, "area": "south"}, "There is no area 'south'."),
        ({"days": 3}, "either `days`, or `since` and `until`"),
        ({"since": None, "until": DAY}, "needs `since`"),
        ({"until": "2026-02-01"}, "before `since`"),
        ({"since": "2026-02-31"}, "is not a day"),
        ({"until": "2026-06-01"}, "at most 62 days"),
    ):
        reply = await verify(rig, status=400, **body)
        assert words in reply["detail"]
    assert await rig.items("/attendance/verify") == []
    reply = await rig.api("GET", "/attendance/verify/nothing")
    assert reply.status == 404


@pytest_twisted.ensureDeferred
async def test_a_request_needs_write_and_is_audited(rig: Rig) -> None:
    """Whoever may only read cannot make terminals count."""
    await rig.exchange()
    headers = (f"Authorization: Bearer {await rig.token('clerk', Scope.READ)}",)
    body = {"all": True}
    assert (await rig.api("POST", "/attendance/verify", body, headers=headers)).status == 403
    run = await verify(rig)
    rows = await rig.store.read(lambda tx: tx[AuditStore].page(Page(100)))
    found = [one for one in rows if one.action == "verify attendance"]
    assert [one.subject for one in found] == [f"request {run['id']}"]
    assert found[0].detail.startswith(f"1 terminal; {DAY} to {DAY}")


@pytest_twisted.ensureDeferred
async def test_old_outcomes_are_removed(make_rig) -> None:
    """A problem ends with the outcome that it stands for."""
    rig = await make_rig(completeness={"keep_days": 62, "nightly": False})
    await rig.exchange()
    await verify(rig)
    await count(rig, 1)
    await send_all(rig)
    await count(rig, 1)
    assert len(await problems(rig)) == 1
    rig.clock.advance(61 * A_DAY)
    assert await runner(rig).remove_old() == 0
    rig.clock.advance(2 * A_DAY)
    assert await runner(rig).remove_old() == 1
    assert await rig.items("/attendance/verify") == []
    assert await problems(rig) == []


TABLE = """
waiting     its terminal is connected, and its turn comes                          counting
waiting     its terminal cannot be sent the command                                unsupported
waiting     the time for its terminal is over                                      not_answered
counting    the terminal counts as many records as are stored                      complete
counting    the terminal counts fewer records than are stored                      surplus
counting    the terminal counts more records than are stored                       fetching
counting    the terminal refuses to count, or answers without a number             unsupported
counting    the terminal does not answer, or is busy                               waiting
counting    the command is cancelled                                               cancelled
fetching    the terminal has sent its records of that day                          recounting
fetching    the terminal does not send its records of that day                     short
fetching    the terminal counts as many records as are stored                      complete
recounting  the terminal counts as many records as are stored                      complete
recounting  the terminal counts fewer records than are stored                      surplus
recounting  the terminal counts more records, and has sent as many as it counts    complete
recounting  the terminal counts more records than are stored                       short
recounting  the terminal refuses to count, or answers without a number             short
recounting  the terminal does not answer, or is busy                               short
recounting  the command is cancelled                                               short
"""


def test_the_table_of_states() -> None:
    """Only these steps exist: ended states have none, and each open state can end."""
    listed = {
        (parts[0], parts[1]): parts[2]
        for line in TABLE.strip().splitlines()
        if (parts := [part.strip() for part in line.split("  ") if part.strip()])
    }
    for state in CountState:
        for event in CountEvent:
            after = next_state(state, event)
            expected = listed.get((state.value, event.value))
            assert (None if after is None else after.value) == expected, (state, event)
    assert {state for state, _ in listed} == {state.value for state in OPEN_COUNTS}
    page = (ROOT / "docs" / "completeness.md").read_text()
    assert [
        line
        for line in page.splitlines()
        if line.startswith(("| wait", "| count", "| fetch", "| recount"))
    ] == [f"| {' | '.join(one)} |" for one in transitions()]
