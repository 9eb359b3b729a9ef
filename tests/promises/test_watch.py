"""Problems that only time and figures show, and the modes in which a terminal does not work."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted

from zkpush.handlers.terminals.jobs import TerminalWatch
from zkpush.model import Page
from zkpush.persist.events import EventStore
from zkpush.problems import ProblemCode
from zkpush.testing.wire import talk

from ..rig import Rig

DAY = 24 * 3600


async def look(rig: Rig) -> None:
    """What the background job does once a minute."""
    (job,) = (job for job in rig.daemon.jobs if isinstance(job, TerminalWatch))
    await job.look()


async def problems(rig: Rig, code: str) -> list[dict[str, str]]:
    """The problems of this code."""
    await look(rig)
    return [one for one in await rig.items("/problems") if one["code"] == code]


async def told(rig: Rig, code: str) -> list[str]:
    """What events have told of the problems of this code."""
    events = await rig.store.read(lambda tx: tx[EventStore].page(Page(1000)))
    return [
        one.data["what"] for one in events if one.kind == "problem" and one.data["code"] == code
    ]


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_silent_for_a_day_is_a_problem(rig: Rig) -> None:
    """Since it was last heard of, until it comes back; raised and cleared once."""
    await rig.exchange()
    rig.clock.advance(DAY - 1)
    assert await problems(rig, ProblemCode.SILENT) == []
    for _ in range(2):
        rig.clock.advance(60)
        (found,) = await problems(rig, ProblemCode.SILENT)
    assert found["detail"] == "It was last heard of at 2026-03-01T12:00:00.000Z."
    assert found["since_at"] == "2026-03-01T12:00:00.000Z"
    assert "zkpush doctor T1" in found["advice"]
    await rig.get("getrequest?SN=T1")
    assert await problems(rig, ProblemCode.SILENT) == []
    assert await told(rig, ProblemCode.SILENT) == ["raised", "cleared"]


@pytest_twisted.ensureDeferred
async def test_an_approved_terminal_that_never_came_is_silent(rig: Rig) -> None:
    """It was added by its serial number; one that waits for approval is not."""
    response = await rig.api("PUT", "/devices/NEW1", {"state": "approved"})
    assert response.status in (200, 201), response.raw
    rig.clock.advance(DAY)
    (found,) = await problems(rig, ProblemCode.SILENT)
    assert (found["device"], found["detail"]) == ("NEW1", "It has never connected.")
    await rig.api("PATCH", "/devices/NEW1", {"state": "blocked"})
    assert await problems(rig, ProblemCode.SILENT) == []


@pytest_twisted.ensureDeferred
async def test_nobody_is_silent_right_after_the_server_started(rig: Rig) -> None:
    """The server itself was away: terminals have a quarter of an hour to come back."""
    await rig.exchange()
    rig.clock.advance(2 * DAY)
    started = TerminalWatch(rig.store, rig.registry, rig.config.watch, rig.clock)
    await started.look()
    assert await rig.items("/problems") == []
    rig.clock.advance(15 * 60)
    await started.look()
    assert [one["code"] for one in await rig.items("/problems")] == [ProblemCode.SILENT]


@pytest.mark.parametrize(
    ("options", "counts", "words"),
    [
        ("~MaxAttLogCount=10", "TransactionCount=90000", "attendance records (at most 100000)"),
        ("~MaxUserCount=20", "UserCount=1800", "users (at most 2000)"),
        ("MaxUserCount=3000", "UserCount=2700", "users (at most 3000)"),
        ("~MaxFingerCount=30", "FPCount=2999", "fingerprints (at most 3000)"),
        ("MaxFaceCount=1500", "FaceCount=1400", "faces (at most 1500)"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_terminal_whose_storage_is_nearly_full_is_a_problem(
    rig: Rig, options: str, counts: str, words: str
) -> None:
    """By what it says of itself, in the units that real terminals use."""
    await rig.exchange()
    name, _, number = counts.partition("=")
    below = f"{name}={int(int(number) * 0.8)}"
    await rig.post("cdata?SN=T1&table=options", f"{options},{below}".encode())
    assert await problems(rig, ProblemCode.STORAGE_FULL) == []
    await rig.post("cdata?SN=T1&table=options", counts.encode())
    (found,) = await problems(rig, ProblemCode.STORAGE_FULL)
    assert words in found["detail"]
    await rig.post("cdata?SN=T1&table=options", below.encode())
    assert await problems(rig, ProblemCode.STORAGE_FULL) == []


@pytest_twisted.ensureDeferred
async def test_counts_of_a_poll_fill_the_storage_too(rig: Rig) -> None:
    """The update information (9) and the options are one truth."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=options", b"~MaxUserCount=1")
    await rig.get("getrequest?SN=T1&INFO=Ver1,95,0,10")
    (found,) = await problems(rig, ProblemCode.STORAGE_FULL)
    assert "users (at most 100)" in found["detail"]


@pytest_twisted.ensureDeferred
async def test_commands_that_are_given_up_are_a_problem_for_a_week(rig: Rig) -> None:
    """Those that the terminal never fetched, or never answered."""
    await rig.exchange()
    body = {"command": "INFO", "expires_in": 60}
    for _ in range(2):
        assert (await rig.api("POST", "/devices/T1/commands", body)).status == 202
    assert await problems(rig, ProblemCode.COMMANDS_GIVEN_UP) == []
    rig.clock.advance(61)
    await rig.daemon.queue.end_overdue()
    (found,) = await problems(rig, ProblemCode.COMMANDS_GIVEN_UP)
    assert found["detail"] == "2 commands of the last 7 days ended without an answer."
    assert found["since_at"] == "2026-03-01T12:01:01.000Z"
    rig.clock.advance(7 * DAY + 1)
    assert await problems(rig, ProblemCode.COMMANDS_GIVEN_UP) == []


@pytest_twisted.ensureDeferred
async def test_thresholds_are_configured(make_rig) -> None:
    """0 turns a problem off."""
    rig = await make_rig(watch={"silent_hours": 0, "full_percent": 0})
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=options", b"~MaxUserCount=1,UserCount=100")
    rig.clock.advance(30 * DAY)
    await look(rig)
    assert await rig.items("/problems") == []


@pytest_twisted.ensureDeferred
async def test_a_terminal_in_access_control_mode_is_named_with_the_way_out(rig: Rig) -> None:
    """It is sent no commands, and what it uploads is kept; attendance mode ends it."""
    await rig.exchange()
    assert (await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})).status == 202
    await rig.exchange(DeviceType="acc", pushver="3.1.2")
    (found,) = await rig.items("/problems?device=T1")
    assert found["code"] == ProblemCode.ACCESS_CONTROL
    assert "T&A PUSH" in found["advice"]
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"
    refused = await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    assert refused.status == 400
    assert "T&A PUSH" in refused.json["detail"]
    assert (await rig.post("cdata?SN=T1&table=rtlog", b"time=1\tpin=7\r\n")).body == b"OK"
    assert len(await rig.items("/rejects?table=rtlog")) == 1
    await rig.exchange(DeviceType="att")
    codes = [one["code"] for one in await rig.items("/problems?device=T1")]
    assert ProblemCode.ACCESS_CONTROL not in codes
    assert (await rig.get("getrequest?SN=T1")).body.endswith(b":INFO\n")


CARDS = b"mulcarduser id=1\tpin=7\tcardno=a\r\nmulcarduser id=2\tpin=8\tcardno=b\r\n"


@pytest.mark.parametrize(
    ("query", "reply"),
    [
        ("table=tabledata&tablename=mulcarduser&count=2", b"mulcarduser=2"),
        ("table=TableData&tablename=mulcarduser", b"mulcarduser=2"),
        ("table=tabledata&tablename=a%0Ab&count=2", b"OK"),
        ("table=tabledata", b"OK"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_tables_of_access_control_are_kept_and_acknowledged_with_their_count(
    rig: Rig, query: str, reply: bytes
) -> None:
    """After a bare OK, such a terminal sends them again for ever."""
    await rig.exchange(DeviceType="acc", pushver="3.1.2")
    assert (await rig.post(f"cdata?SN=T1&{query}", CARDS)).body == reply
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == CARDS
    assert "tablename" in reject["origin"]["query"] or "tablename" not in query


PEOPLE = b"user uid=1\tcardno=\tpin=1\tpassword=\tgroup=1\tname=Ann\tprivilege=0\r\n"


@pytest.mark.parametrize(
    "query", ["table=tabledata&tablename=user&count=1", "table=rtlog", "table=rtstate"]
)
@pytest_twisted.ensureDeferred
async def test_people_of_access_control_are_kept_and_not_read(rig: Rig, query: str) -> None:
    """A line of the other protocol is no person here; the upload shows the mode."""
    await rig.exchange()
    await rig.post(f"cdata?SN=T1&{query}", PEOPLE)
    assert await rig.items("/users") == []
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == PEOPLE
    assert "access-control" in reject["reason"]
    codes = {one["code"] for one in await rig.items("/problems?device=T1")}
    assert codes == {ProblemCode.ACCESS_CONTROL, ProblemCode.REJECTS}
    assert (await rig.api("POST", "/rejects/retry", {})).json["kept"] == 1
    assert await rig.items("/users") == []
    checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    assert not any("resend" in one["advice"] for one in checks)


@pytest.mark.parametrize("path", ["registry", "push", "querydata", "rtdata"])
@pytest_twisted.ensureDeferred
async def test_a_request_of_the_access_control_protocol_shows_it_too(rig: Rig, path: str) -> None:
    """Whatever the terminal says in the exchange."""
    await rig.exchange()
    assert (await rig.post(f"{path}?SN=T1", b"DeviceType=acc,~DeviceName=F20")).status == 404
    codes = {one["code"] for one in await rig.items("/problems?device=T1")}
    assert ProblemCode.ACCESS_CONTROL in codes


@pytest_twisted.ensureDeferred
async def test_the_last_state_of_doors_is_kept_and_not_each(rig: Rig) -> None:
    """`rtstate` comes every few seconds."""
    await rig.exchange(DeviceType="acc")
    for second in range(5):
        body = b"time=2026-03-01 12:00:0%d\tsensor=00\trelay=00\r\n" % second
        assert (await rig.post("cdata?SN=T1&table=rtstate", body)).body == b"OK"
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == body


@pytest_twisted.ensureDeferred
async def test_a_proxy_in_front_of_a_terminal_without_a_zone_is_a_problem(make_rig) -> None:
    """It adds a Date of its own; with the zone, that is right again."""
    rig = await make_rig(timezone=None)
    head = b"GET /iclock/cdata?SN=T1&options=all HTTP/1.1\r\nHost: x\r\n"
    raw = head + b"X-Forwarded-For: 192.0.2.8\r\n\r\n"
    response = await talk(rig.terminals, raw)
    assert response.header(b"Date") is None
    codes = [one["code"] for one in await rig.items("/problems?device=T1")]
    assert codes == [ProblemCode.NO_ZONE, ProblemCode.PROXY_DATE]
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Berlin"})
    assert await rig.items("/problems?device=T1") == []
    await talk(rig.terminals, raw)
    assert await rig.items("/problems?device=T1") == []


@pytest_twisted.ensureDeferred
async def test_what_a_terminal_is_is_one_truth(rig: Rig) -> None:
    """Options, polls and answers say it; what nobody said is null."""
    await rig.exchange()
    before = (await rig.api("GET", "/devices/T1")).json
    assert before["firmware"] is None
    assert (before["counts"], before["capacities"]) == ({}, {})
    assert set(before["functions"].values()) == {None}
    await rig.post("cdata?SN=T1&table=options", b"FWVersion=8.0.4,~MaxUserCount=30,FvFunOn=0")
    await rig.get("getrequest?SN=T1&INFO=8.0.4,5,6,7,192.0.2.1,10,7,8,9,10100")
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    command = (await rig.get("getrequest?SN=T1")).body.split(b":")[1].decode()
    answer = f"ID={command}&Return=0&CMD=INFO\n~MaxAttLogCount=10\nUserCount=6\nFaceVersion=40\n"
    await rig.post("devicecmd?SN=T1", answer.encode())
    now = (await rig.api("GET", "/devices/T1")).json
    assert now["firmware"] == "8.0.4"
    assert now["counts"]["users"] == 6
    assert now["counts"]["attendance"] == 7
    assert now["capacities"] == {"attendance": 100_000, "users": 3000}
    functions = {name: value for name, value in now["functions"].items() if value is not None}
    assert functions == {
        "fingerprint": True,
        "face": False,
        "user_photo": True,
        "comparison_photo": False,
        "visible_light": False,
        "finger_vein": False,
    }
    versions = {one["type"]: one["major_version"] for one in now["hybrid"]["types"]}
    assert (versions[1], versions[2]) == (10, 40)
