"""Jobs: commands for many terminals, queued in parts, in waves, and at a time of day."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from zkpush.handlers.jobs import parts
from zkpush.handlers.jobs.runner import JobRunner
from zkpush.model import DeviceState, Page, Problem
from zkpush.persist.audit import AuditStore
from zkpush.persist.devices import DeviceStore
from zkpush.problems import ProblemCode
from zkpush.protocol.fields import Scope

from ..rig import Rig
from .test_queue import answer

USER = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "7", "Name": "Ann"}}
NOTHING = dict.fromkeys(
    (
        "waiting",
        "queued",
        "sent",
        "done",
        "failed",
        "expired",
        "cancelled",
        "unknown",
        "refused",
        "removed",
    ),
    0,
)


def runner(rig: Rig) -> JobRunner:
    """The runner of a daemon."""
    (found,) = (job for job in rig.daemon.jobs if isinstance(job, JobRunner))
    return found


async def terminals(rig: Rig, number: int, timezone: str = "UTC", **values: object) -> list[str]:
    """Approved terminals, without an exchange."""

    def unit(tx):
        for place in range(number):
            device = tx[DeviceStore].add(f"T{place}", DeviceState.APPROVED, timezone, 0)
            if values:
                tx[DeviceStore].change(device.id, values)

    await rig.store.write(unit)
    return [f"T{place}" for place in range(number)]


async def post(rig: Rig, *headers: str, status: int = 202, **body: object) -> dict:
    """Make a job by the API, and carry out what is due."""
    token = "Authorization: Bearer rig-token"
    reply = await rig.api("POST", "/commands", body, headers=(token, *headers))
    assert reply.status == status, reply.raw
    await runner(rig).work()
    return reply.json


async def shown(rig: Rig, job: dict) -> dict:
    """A job, as the API shows it."""
    return (await rig.api("GET", f"/jobs/{job['id']}")).json


async def counts(rig: Rig, job: dict) -> dict[str, int]:
    """The counts of a job that are not zero."""
    found = (await shown(rig, job))["counts"]
    assert found.keys() == NOTHING.keys()
    return {name: count for name, count in found.items() if count}


async def poll(rig: Rig, sn: str) -> list[str]:
    """The commands that a terminal gets, in their order, without their ids."""
    lines = (await rig.get(f"getrequest?SN={sn}")).body.decode().splitlines()
    return [line.split(":", 2)[2] for line in lines if line != "OK"]


async def answer_all(rig: Rig, sn: str, code: int = 0) -> int:
    """Poll as a terminal, and answer everything; returns the number of commands."""
    lines = (await rig.get(f"getrequest?SN={sn}")).body.decode().splitlines()
    found = [line.split(":", 2)[1] for line in lines if line != "OK"]
    for one in found:
        await answer(rig, one, code, sn)
    return len(found)


@pytest_twisted.ensureDeferred
async def test_a_job_queues_its_commands_for_all_terminals(rig: Rig) -> None:
    """One request and one id; each terminal gets the commands in order, and counts say how far."""
    await terminals(rig, 3)
    job = await post(rig, commands=[USER, {"command": "INFO"}], all=True)
    assert (job["devices"], job["commands"]) == (3, 2)
    assert job["command"] == "DATA UPDATE USERINFO, INFO"
    assert await counts(rig, job) == {"queued": 6}
    for sn in ("T0", "T1", "T2"):
        await rig.exchange(sn)
    assert await poll(rig, "T0") == ["DATA UPDATE USERINFO PIN=7\tName=Ann", "INFO"]
    assert await counts(rig, job) == {"queued": 4, "sent": 2}
    assert await answer_all(rig, "T1") == 2
    assert await answer_all(rig, "T2", -1) == 2
    assert await counts(rig, job) == {"sent": 2, "done": 2, "failed": 2}
    now = await shown(rig, job)
    assert now["state"] == "running"
    assert [(one["device"], one["state"], one["meaning"]) for one in now["failed"]] == [
        ("T2", "failed", "The parameter is incorrect"),
        ("T2", "failed", "The parameter is incorrect"),
    ]
    listed = (await rig.api("GET", "/jobs")).json["items"]
    assert [one["id"] for one in listed] == [job["id"]]


@pytest_twisted.ensureDeferred
async def test_terminals_of_a_job_are_named_in_one_of_three_ways(rig: Rig) -> None:
    """By serial number, by area or all; pending terminals are in no area."""
    await terminals(rig, 2, area="north")
    await rig.api("PUT", "/areas/south", {})
    await rig.store.write(lambda tx: tx[DeviceStore].add("NEW", DeviceState.PENDING, "UTC", 0))
    assert (await post(rig, **USER, devices=["T1", "T1"]))["devices"] == 1
    assert (await post(rig, **USER, area="north"))["devices"] == 2
    assert (await post(rig, **USER, all=True))["devices"] == 2
    for body, words in (
        ({**USER}, "either `devices`, or `area`, or `all`"),
        ({**USER, "all": True, "area": "north"}, "either `devices`, or `area`, or `all`"),
        ({**USER, "devices": ["T1", "T9"]}, "There is no terminal 'T9'."),
        ({**USER, "area": "south"}, "no approved terminal in the area 'south'"),
        ({**USER, "area": "souht"}, "area: There is no area 'souht'; did you mean south?"),
        ({"all": True}, "either `commands`, or `command`"),
        ({**USER, "commands": [USER], "all": True}, "either `commands`, or `command`"),
        ({"command": "INFOO", "all": True}, "did you mean INFO?"),
        (
            {"commands": [USER, {"command": "CHECK", "params": {"X": "1"}}], "all": True},
            "command 2",
        ),
        ({**USER, "all": True, "stop_after": 1}, "needs `wave`"),
    ):
        reply = await rig.api("POST", "/commands", body)
        assert reply.status == 400, reply.raw
        assert words in reply.json["detail"]


@pytest_twisted.ensureDeferred
async def test_a_job_needs_the_scopes_of_its_commands(rig: Rig) -> None:
    """A caller without `dangerous` opens no door, one of many or not."""
    await terminals(rig, 1)
    token = await rig.token("clerk", Scope.READ, Scope.WRITE)
    body = {"commands": [USER, {"command": "AC_UNLOCK"}], "all": True}
    reply = await rig.api("POST", "/commands", body, headers=(f"Authorization: Bearer {token}",))
    assert reply.status == 403
    assert await rig.items("/jobs") == []
    job = await post(rig, command="AC_UNLOCK", all=True)
    headers = (f"Authorization: Bearer {token}",)
    assert (await rig.api("POST", f"/jobs/{job['id']}/retry", {}, headers=headers)).status == 403


@pytest_twisted.ensureDeferred
async def test_the_same_key_makes_one_job(rig: Rig) -> None:
    """A repeated request gives the job that it made; another one with the key is refused."""
    await terminals(rig, 2)
    first = await post(rig, "Idempotency-Key: k1", **USER, all=True)
    second = await post(rig, "Idempotency-Key: k1", **USER, all=True)
    assert first["id"] == second["id"]
    assert await counts(rig, first) == {"queued": 2}
    await post(rig, "Idempotency-Key: k1", command="INFO", all=True, status=409)


@pytest_twisted.ensureDeferred
async def test_a_killed_process_leaves_no_command_out_and_none_twice(
    make_rig, tmp_path, monkeypatch
) -> None:
    """A job that was half queued goes on in the next process."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    monkeypatch.setattr(parts, "MOST_COMMANDS", 5)
    before = await make_rig(database=database)
    await terminals(before, 3)
    commands = [{"command": "DATA DELETE USERINFO", "params": {"PIN": str(n)}} for n in range(7)]
    job = (
        await before.api("POST", "/commands?confirm=21", {"commands": commands, "all": True})
    ).json
    while (await counts(before, job)).get("queued", 0) < 10:
        await deferLater(reactor, 0.001)
    await runner(before).stopService()
    half = await counts(before, job)
    await before.stop()

    after = await make_rig(database=database)
    await runner(after).work()
    assert await counts(after, job) == {"queued": 21}
    assert half.keys() == {"queued", "waiting"}
    for sn in ("T0", "T1", "T2"):
        await after.exchange(sn)
        assert await poll(after, sn) == [f"DATA DELETE USERINFO PIN={n}" for n in range(7)]


@pytest_twisted.ensureDeferred
async def test_no_part_of_a_job_is_longer_than_a_hundred_commands(rig: Rig, monkeypatch) -> None:
    """Uploads of others are stored between the parts."""
    await terminals(rig, 30)
    sizes = []
    add = parts.JobCommands.add

    def note(self, new, now):
        sizes.append(len(new.rows))
        add(self, new, now)

    monkeypatch.setattr(parts.JobCommands, "add", note)
    commands = [{"command": "DATA DELETE USERPIC", "params": {"PIN": str(n)}} for n in range(20)]
    job = await post(rig, commands=commands, all=True)
    assert await counts(rig, job) == {"queued": 600}
    assert sum(sizes) == 600
    assert max(sizes) <= 100


@pytest_twisted.ensureDeferred
async def test_large_commands_are_parts_of_their_own(rig: Rig, monkeypatch) -> None:
    """The size of a part is bounded as its number of commands is."""
    await terminals(rig, 4)
    monkeypatch.setattr(parts, "MOST_BYTES", 1000)
    sizes = []
    add = parts.JobCommands.add

    def note(self, new, now):
        sizes.append(len(new.rows))
        add(self, new, now)

    monkeypatch.setattr(parts.JobCommands, "add", note)
    photo = {"command": "DATA UPDATE USERPIC", "params": {"PIN": "7", "Content": "/9j/" * 200}}
    job = await post(rig, commands=[photo, USER], all=True)
    assert await counts(rig, job) == {"queued": 8}
    assert max(sizes) <= 2


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_cannot_take_a_command_is_refused_in_words(rig: Rig) -> None:
    """The others get it; the job names the terminal and the reason."""
    await terminals(rig, 3)

    def unit(tx):
        problem = Problem(
            ProblemCode.ACCESS_CONTROL, "It says that it is for access control (DeviceType=acc).", 0
        )
        tx[DeviceStore].change(tx[DeviceStore].find("T0").id, {"problems": (problem,)})
        for sn in ("T1", "T2"):
            version = {"push_version": "2.2.14" if sn == "T1" else "2.4.2"}
            tx[DeviceStore].change(tx[DeviceStore].find(sn).id, version)

    await rig.store.write(unit)
    card = {"command": "DATA UPDATE WHITELIST", "params": {"IDNum": "1"}}
    job = await post(rig, commands=[USER, card], all=True)
    assert await counts(rig, job) == {"queued": 2, "refused": 4}
    failed = {one["device"]: one for one in (await shown(rig, job))["failed"]}
    assert failed.keys() == {"T0", "T1"}
    assert "access-control mode" in failed["T0"]["meaning"]
    assert "is of protocol 2.4.2" in failed["T1"]["meaning"]
    assert (failed["T1"]["state"], failed["T1"]["command"]) == ("refused", None)


@pytest_twisted.ensureDeferred
async def test_a_later_job_replaces_what_was_not_sent(rig: Rig) -> None:
    """Two jobs of the same person leave one command for each terminal, the later one."""
    await terminals(rig, 20)
    first = await post(rig, **USER, all=True)
    later = {"command": USER["command"], "params": {"PIN": "7", "Name": "Anna"}}
    second = await post(rig, **later, all=True)
    assert await counts(rig, first) == {"cancelled": 20}
    assert await counts(rig, second) == {"queued": 20}
    await rig.exchange("T5")
    assert await poll(rig, "T5") == ["DATA UPDATE USERINFO PIN=7\tName=Anna"]


@pytest_twisted.ensureDeferred
async def test_an_urgent_job_overtakes(rig: Rig) -> None:
    """In the queue of each terminal, and among the jobs that are not queued yet."""
    await terminals(rig, 2)
    await post(rig, command="INFO", all=True)
    await post(rig, command="LOG", all=True, priority=9)
    await rig.exchange("T0")
    assert await poll(rig, "T0") == ["LOG", "INFO"]


@pytest_twisted.ensureDeferred
async def test_commands_on_one_person_keep_their_order_in_an_urgent_job(rig: Rig) -> None:
    """An earlier command on the same person is not overtaken by the job."""
    await terminals(rig, 1)
    await post(rig, command="DATA DELETE USERINFO", params={"PIN": "7"}, all=True)
    await post(rig, **USER, all=True, priority=9)
    await rig.exchange("T0")
    assert await poll(rig, "T0") == [
        "DATA DELETE USERINFO PIN=7",
        "DATA UPDATE USERINFO PIN=7\tName=Ann",
    ]


@pytest_twisted.ensureDeferred
async def test_a_cancelled_job_ends_what_is_open(rig: Rig) -> None:
    """Queued and sent commands are cancelled, ended ones stay, and nothing more is queued."""
    await terminals(rig, 3)
    job = await post(rig, command="REBOOT", all=True, wave=2)
    await rig.exchange("T0")
    await poll(rig, "T0")
    assert (await rig.api("DELETE", f"/jobs/{job['id']}")).status == 204
    await runner(rig).work()
    assert await counts(rig, job) == {"cancelled": 3}
    assert (await shown(rig, job))["state"] == "cancelled"
    assert (await rig.api("DELETE", f"/jobs/{job['id']}")).status == 409
    assert (await rig.api("POST", f"/jobs/{job['id']}/retry", {})).status == 409
    assert (await rig.api("DELETE", "/jobs/none")).status == 404
    assert (await rig.api("GET", "/jobs/none")).status == 404


@pytest_twisted.ensureDeferred
async def test_a_retry_queues_again_what_did_not_succeed(rig: Rig) -> None:
    """Only that, with new ids; a command that a later one has made obsolete stays ended."""
    await terminals(rig, 3)
    job = await post(rig, commands=[USER, {"command": "INFO"}], all=True)
    for sn, code in (("T0", 0), ("T1", -1), ("T2", -1)):
        await rig.exchange(sn)
        await answer_all(rig, sn, code)
    later = {"command": USER["command"], "params": {"PIN": "7", "Name": "Anna"}}
    await post(rig, **later, devices=["T2"])
    await answer_all(rig, "T2")
    reply = await rig.api("POST", f"/jobs/{job['id']}/retry", {})
    assert reply.status == 202
    await runner(rig).work()
    assert await counts(rig, job) == {"done": 2, "failed": 1, "queued": 3}
    assert await poll(rig, "T1") == ["DATA UPDATE USERINFO PIN=7\tName=Ann", "INFO"]
    assert await poll(rig, "T2") == ["INFO"]
    assert await poll(rig, "T0") == []


@pytest_twisted.ensureDeferred
async def test_a_wave_waits_for_the_one_before(rig: Rig) -> None:
    """Restarts go to some terminals at a time, and the next ones follow when those are done."""
    await terminals(rig, 25)
    job = await post(rig, command="REBOOT", all=True)
    assert job["wave"] == 10
    assert await counts(rig, job) == {"queued": 10, "waiting": 15}
    for place in range(10):
        await rig.exchange(f"T{place}")
        assert await answer_all(rig, f"T{place}") == 1
        if place < 9:
            await runner(rig).work()
            assert (await counts(rig, job))["waiting"] == 15
    await runner(rig).work()
    assert await counts(rig, job) == {"done": 10, "queued": 10, "waiting": 5}


@pytest_twisted.ensureDeferred
async def test_a_failure_stops_the_next_wave_until_somebody_lets_it_go_on(rig: Rig) -> None:
    """An upgrade that breaks a terminal does not break all of them."""
    await terminals(rig, 4)
    job = await post(rig, command="REBOOT", all=True, wave=1)
    await rig.exchange("T0")
    await answer_all(rig, "T0", -1)
    await runner(rig).work()
    now = await shown(rig, job)
    assert (now["state"], now["reason"]) == (
        "stopped",
        "1 command failed; the rest is not queued.",
    )
    assert await counts(rig, job) == {"failed": 1, "waiting": 3}
    await rig.api("POST", f"/jobs/{job['id']}/retry", {})
    await runner(rig).work()
    assert await counts(rig, job) == {"queued": 1, "waiting": 3}
    await answer_all(rig, "T0")
    await runner(rig).work()
    assert await counts(rig, job) == {"done": 1, "queued": 1, "waiting": 2}


@pytest_twisted.ensureDeferred
async def test_what_was_never_answered_stops_a_wave_and_what_was_never_fetched_does_not(
    rig: Rig,
) -> None:
    """A terminal that is off is not broken; one that is silent after an upgrade may be."""
    await terminals(rig, 3)
    job = await post(rig, command="REBOOT", all=True, wave=1)
    rig.clock.advance(3601)
    await rig.daemon.queue.end_overdue()
    await runner(rig).work()
    assert await counts(rig, job) == {"expired": 1, "queued": 1, "waiting": 1}
    await rig.exchange("T1")
    await poll(rig, "T1")
    rig.clock.advance(301)
    await rig.daemon.queue.end_overdue()
    await runner(rig).work()
    assert (await shown(rig, job))["state"] == "stopped"
    assert await counts(rig, job) == {"expired": 1, "unknown": 1, "waiting": 1}
    # Somebody looked, and lets it go on; the unknown command is not repeated.
    await rig.api("POST", f"/jobs/{job['id']}/retry", {"states": []})
    await runner(rig).work()
    assert await counts(rig, job) == {"expired": 1, "unknown": 1, "queued": 1}


@pytest.mark.parametrize(
    ("zone", "is_open"), [("UTC", False), ("Asia/Tokyo", False), ("America/Denver", True)]
)
@pytest_twisted.ensureDeferred
async def test_a_window_is_by_the_clock_of_each_terminal(
    rig: Rig, zone: str, is_open: bool
) -> None:
    """At noon UTC it is five in Denver: open from four to six. The command ends with the window."""
    await terminals(rig, 1, zone)
    window = {"begin": "04:00", "end": "06:00"}
    job = await post(rig, command="REBOOT", all=True, window=window, expires_in=86_400)
    assert job["window"] == window
    assert await counts(rig, job) == ({"queued": 1} if is_open else {"waiting": 1})
    if is_open:
        (command,) = (await rig.api("GET", "/devices/T0/commands")).json["items"]
        assert command["expires_at"] == "2026-03-01T13:00:00.000Z"
    else:
        rig.clock.advance(16 * 3600 if zone == "UTC" else 7 * 3600)
        await runner(rig).work()
        assert await counts(rig, job) == {"queued": 1}


@pytest_twisted.ensureDeferred
async def test_a_window_that_a_terminal_misses_is_followed_by_the_next(rig: Rig) -> None:
    """A terminal that is off in the window gets its command in that of the next day."""
    await terminals(rig, 2)
    window = {"begin": "11:00", "end": "13:00"}
    job = await post(rig, command="REBOOT", all=True, window=window)
    await rig.exchange("T0")
    assert await poll(rig, "T0") == ["REBOOT"]
    await rig.exchange("T0")  # it restarted; T1 is off
    rig.clock.advance(2 * 3600)
    await rig.daemon.queue.end_overdue()
    await runner(rig).work()
    assert await counts(rig, job) == {"done": 1, "expired": 1}
    assert (await shown(rig, job))["state"] == "queueing"
    rig.clock.advance(22 * 3600)
    await runner(rig).work()
    assert await counts(rig, job) == {"done": 1, "queued": 1}
    await rig.exchange("T1")
    assert await poll(rig, "T1") == ["REBOOT"]
    await rig.exchange("T1")
    await runner(rig).work()
    assert await counts(rig, job) == {"done": 2}
    assert (await shown(rig, job))["state"] == "finished"


@pytest_twisted.ensureDeferred
async def test_a_window_is_tried_for_the_lifetime_of_commands(make_rig) -> None:
    """After two days, a terminal that was never there is left alone."""
    rig = await make_rig(commands={"lifetime_days": 2})
    await terminals(rig, 1)
    window = {"begin": "11:00", "end": "13:00"}
    job = await post(rig, command="REBOOT", all=True, window=window)
    for _ in range(4):
        rig.clock.advance(24 * 3600)
        await rig.daemon.queue.end_overdue()
        await runner(rig).work()
    assert await counts(rig, job) == {"expired": 1}
    assert (await shown(rig, job))["state"] == "finished"
    commands = (await rig.api("GET", "/devices/T0/commands")).json["items"]
    days = [one["created_at"][:10] for one in commands]
    assert days == ["2026-03-01", "2026-03-02"]


@pytest_twisted.ensureDeferred
async def test_a_window_may_contain_midnight_but_is_not_empty(rig: Rig) -> None:
    """From ten in the evening to noon and a minute: open at noon."""
    await terminals(rig, 1)
    window = {"begin": "22:00", "end": "12:01"}
    job = await post(rig, command="INFO", all=True, window=window)
    assert await counts(rig, job) == {"queued": 1}
    await post(rig, command="INFO", all=True, window={"begin": "1:00", "end": "2:00"}, status=400)
    await post(rig, command="INFO", all=True, window={"begin": "01:00", "end": "01:00"}, status=400)


@pytest_twisted.ensureDeferred
async def test_the_parameters_of_a_job_are_gone_once_they_are_queued(rig: Rig) -> None:
    """What is kept of them is kept with the commands, for as long as those are."""
    await terminals(rig, 2)
    held = await post(rig, **USER, all=True, wave=1)
    done = await post(rig, command="INFO", all=True)

    def bodies(tx):
        rows = tx.connection.exec_driver_sql("SELECT id, body IS NULL FROM jobs").all()
        return {job: bool(is_gone) for job, is_gone in rows}

    assert await rig.store.read(bodies) == {held["id"]: False, done["id"]: True}


@pytest_twisted.ensureDeferred
async def test_a_job_is_one_row_of_the_audit_log(rig: Rig) -> None:
    """Who queued what for how many terminals; without parameters."""
    await terminals(rig, 2)
    job = await post(rig, **USER, all=True)
    rows = await rig.store.read(lambda tx: tx[AuditStore].page(Page(1000)))
    (row,) = [row for row in rows if row.subject == f"job {job['id']}"]
    assert row.action == "create job"
    assert row.detail.startswith("DATA UPDATE USERINFO; 2 terminals; by API from")


@pytest_twisted.ensureDeferred
async def test_a_file_is_fetched_by_each_terminal_with_a_url_of_its_own(rig: Rig) -> None:
    """Commands that differ for each terminal are queued one by one, in the order of the job."""
    await terminals(rig, 20)
    headers = ("Authorization: Bearer rig-token", "Content-Type: application/octet-stream")
    added = await rig.api("POST", "/files?name=new.bin", {"a": 1}, headers=headers)
    assert added.status == 201, added.raw
    upgrade = {"command": "UPGRADE", "params": {"file": str(added.json["id"]), "form": "2"}}
    job = await post(rig, commands=[{"command": "INFO"}, upgrade], all=True, wave=20)
    assert await counts(rig, job) == {"queued": 40}
    urls = set()
    for place in range(20):
        await rig.exchange(f"T{place}")
        first, second = await poll(rig, f"T{place}")
        assert first == "INFO"
        assert second.startswith("UPGRADE ")
        urls.add(second)
    assert len(urls) == 20
