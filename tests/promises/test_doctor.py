"""The doctor answers why a terminal is connected and sends nothing, and what to do about it."""

from __future__ import annotations

import datetime

import pytest
import pytest_twisted
from sqlalchemy import text

from zkpush.testing.wire import talk

from ..rig import Rig
from ..server.test_tokens_of_sessions import BEGIN_AGAIN, token, upload
from .situations import look_at_queues

POLL = "getrequest?SN=T1"
ATTLOG = "cdata?SN=T1&table=ATTLOG&Stamp=9999"


async def examined(rig: Rig, path: str = "/devices/T1/doctor") -> dict[str, object]:
    """The examination of a terminal."""
    response = await rig.api("GET", path)
    assert response.status == 200, response.raw
    return response.json


async def faults(rig: Rig, path: str = "/devices/T1/doctor") -> dict[str, dict[str, str]]:
    """The checks that are not ok, by name."""
    found = await examined(rig, path)
    return {one["name"]: one for one in found["checks"] if one["state"] in ("warning", "error")}


async def working(rig: Rig) -> None:
    """A terminal that sends records."""
    await rig.exchange()
    await rig.post(ATTLOG, b"7\t2026-01-05 08:00:00\t0\t1\n")
    await rig.get(POLL)


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_works_has_no_fault(rig: Rig) -> None:
    """All checks are ok, and there is nothing to do."""
    await working(rig)
    found = await examined(rig)
    assert found["state"] == "ok"
    assert found["next"] == "No fault was found. Not known yet: clock."
    assert [one["name"] for one in found["checks"]] == [
        *("connection", "admission", "refusals", "requests", "exchange", "zone", "clock"),
        *("records", "rejects", "queue"),
    ]
    assert {one["advice"] for one in found["checks"]} == {""}


@pytest_twisted.ensureDeferred
async def test_a_pending_terminal_is_found(make_rig) -> None:
    """What to do first is to approve it, and not to look for what its refusals say."""
    rig = await make_rig(admission="approve")
    await rig.get(POLL)
    found = await examined(rig)
    assert found["next"].startswith("If it is yours, approve it: `zkpush devices approve T1`.")
    assert (await faults(rig)).keys() == {"admission"}


@pytest_twisted.ensureDeferred
async def test_a_blocked_terminal_and_one_of_another_network_are_found(rig: Rig) -> None:
    """The first fault is the state; the reason of a refusal is quoted."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    await rig.get(POLL)
    assert "blocked" in (await faults(rig))["admission"]["detail"]
    await rig.api("PATCH", "/devices/T1", {"state": "approved", "networks": ["198.51.100.0/24"]})
    await rig.get(POLL)
    fault = (await faults(rig))["refusals"]
    assert fault["follows"] == "other address"
    assert "status 403 from 192.0.2.7" in fault["detail"]
    assert "may not come from this address" in fault["detail"]


@pytest_twisted.ensureDeferred
async def test_a_refusal_that_is_over_is_a_warning_and_then_forgotten(rig: Rig) -> None:
    """A served request after it shows that it is over; after an hour nobody is told."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"networks": ["192.0.2.0/24"]})
    rig.clock.advance(1)
    await rig.get(POLL, address="198.51.100.1")
    rig.clock.advance(1)
    await rig.get(POLL)
    assert (await faults(rig))["refusals"]["state"] == "warning"
    rig.clock.advance(3601)
    await rig.get(POLL)
    assert "refusals" not in await faults(rig)


@pytest.mark.parametrize(
    ("refuses", "mends"),
    [
        ({"state": "blocked"}, {"state": "approved"}),
        ({"networks": ["198.51.100.0/24"]}, {"networks": []}),
    ],
)
@pytest_twisted.ensureDeferred
async def test_refusals_before_an_operator_mended_them_are_past(
    rig: Rig, refuses: dict[str, object], mends: dict[str, object]
) -> None:
    """The doctor says so, and does not suspect that something else uses the serial number."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", refuses)
    await rig.get(POLL)
    rig.clock.advance(1)
    await rig.api("PATCH", "/devices/T1", mends)
    rig.clock.advance(1)
    await rig.get(POLL)
    assert "refusals" not in await faults(rig)
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    assert checks["refusals"]["detail"] == (
        "1 of its requests was refused in the last hour, before an operator changed that."
    )
    # A change that has nothing to do with refusals does not hide a later one.
    await rig.api("PATCH", "/devices/T1", {"networks": ["198.51.100.0/24"]})
    rig.clock.advance(1)
    await rig.get(POLL)
    rig.clock.advance(1)
    await rig.api("PATCH", "/devices/T1", {"alias": "Door"})
    assert (await faults(rig))["refusals"]["follows"] == "other address"


@pytest_twisted.ensureDeferred
async def test_each_kind_of_unknown_path_has_its_advice(rig: Rig) -> None:
    """A path outside /iclock/ is one of the server address, any other of the protocol."""
    await working(rig)
    await rig.get("foo?SN=T1")
    assert "Paths of terminals" not in (await faults(rig))["requests"]["advice"]
    await talk(rig.terminals, b"GET /cgi/cdata?SN=T1 HTTP/1.1\r\nHost: server\r\n\r\n")
    advice = (await faults(rig))["requests"]["advice"]
    assert "Paths of terminals begin with /iclock/" in advice
    assert "It may speak another protocol" in advice


@pytest_twisted.ensureDeferred
async def test_what_follows_from_the_access_control_mode_says_so(rig: Rig) -> None:
    """An update would not help."""
    await working(rig)
    await rig.post("registry?SN=T1", b"DeviceType=acc")
    found = await faults(rig)
    assert "access-control mode" in found
    for name in ("requests", "rejects"):
        assert found[name]["follows"] == "access-control mode"
        assert found[name]["advice"].startswith("It follows from the access-control mode")


@pytest_twisted.ensureDeferred
async def test_unknown_requests_that_ended_are_said_as_past(rig: Rig) -> None:
    """With the time of the last one, as a warning, and with what to do if it is not mended."""
    await working(rig)
    await rig.get("foo?SN=T1")
    rig.clock.advance(60)
    await rig.get(POLL)
    assert (await faults(rig))["requests"]["state"] == "error"
    rig.clock.advance(1080)
    fault = (await faults(rig))["requests"]
    assert fault["state"] == "warning"
    assert "The last time was 19 minutes ago; it was served since then." in fault["detail"]
    assert fault["advice"].startswith("If the cause is removed, there is nothing to do")
    await rig.get("foo?SN=T1")
    rig.clock.advance(600)
    assert (await faults(rig))["requests"]["state"] == "error"


@pytest_twisted.ensureDeferred
async def test_a_path_with_a_prefix_is_found_before_a_session(rig: Rig) -> None:
    """The doctor, the problems and the trace name the path, although no session was begun."""
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    target = b"GET /push/iclock/cdata?SN=T1&options=all HTTP/1.1\r\nHost: server\r\n\r\n"
    answer = await talk(rig.terminals, target)
    assert (answer.status, answer.body) == (200, b"UNKNOWN DEVICE")
    assert "/push/iclock" in (await faults(rig))["requests"]["detail"]
    (problem,) = await rig.items("/problems?device=T1")
    assert problem["code"] == "unknown requests"
    assert "It asks for GET /push/iclock/…" in problem["detail"]
    (traced,) = await rig.items("/devices/T1/trace")
    assert "its path does not begin with /iclock/" in traced["answered"]


@pytest_twisted.ensureDeferred
async def test_lines_that_no_handler_takes_are_said_as_such_without_their_keyword(
    rig: Rig,
) -> None:
    """The keyword may be anything that was sent."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", b"SECRET a=1\n")
    assert (await faults(rig))["rejects"]["detail"] == (
        "1 upload that was not understood is kept, of OPERLOG: lines of a kind that zkpush does "
        "not know."
    )


@pytest_twisted.ensureDeferred
async def test_a_foreign_token_is_over_when_the_terminal_returns_ours(rig: Rig) -> None:
    """The problem ends then; if it does not return one, it is past after two hours."""
    given = token(await rig.exchange())
    foreign = b"token=" + b"ab" * 16
    assert await upload(rig, foreign) == (200, b"OK: 1")
    assert (await faults(rig))["foreign token"]["state"] == "warning"
    rig.clock.advance(2 * 3600)
    fault = (await faults(rig))["foreign token"]
    assert fault["state"] == "warning"
    assert "It has not come again for 60 minutes or longer." in fault["detail"]
    assert await upload(rig, b"token=" + given) == (200, b"OK: 1")
    assert "foreign token" not in await faults(rig)


@pytest_twisted.ensureDeferred
async def test_a_token_that_is_returned_again_is_said_as_past(rig: Rig) -> None:
    """The problem stays, because something else may use the serial number."""
    given = token(await rig.exchange())
    await upload(rig, b"token=" + given)
    await upload(rig, b"token=" + b"ab" * 16)
    assert (await faults(rig))["token not returned"]["state"] == "error"
    rig.clock.advance(60)
    await upload(rig, b"token=" + given)
    rig.clock.advance(540)
    fault = (await faults(rig))["token not returned"]
    assert fault["state"] == "warning"
    assert "The last time was 10 minutes ago" in fault["detail"]


@pytest_twisted.ensureDeferred
async def test_an_unknown_path_is_found(rig: Rig) -> None:
    """It is named, and no refusal of what is understood."""
    await working(rig)
    await rig.get("rtdata?SN=T1&type=time")
    found = await faults(rig)
    assert "GET /iclock/rtdata" in found["requests"]["detail"]
    assert "refusals" not in found


@pytest_twisted.ensureDeferred
async def test_a_missing_zone_is_found(make_rig) -> None:
    """The command that sets it is the advice."""
    rig = await make_rig(timezone=None)
    await working(rig)
    assert "timezone=" in (await faults(rig))["zone"]["advice"]
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Berlin"})
    assert "zone" not in await faults(rig)


async def punch_with_clock(rig: Rig, ahead: datetime.timedelta) -> None:
    """Punches in real time, by a clock that is so far ahead, until it is measured."""
    await rig.exchange()
    for minute in range(4):
        rig.clock.advance(60)
        now = datetime.datetime.fromtimestamp(rig.clock.wall_seconds(), datetime.UTC)
        await rig.post(ATTLOG, f"{minute}\t{now + ahead:%Y-%m-%d %H:%M:%S}\t0\t1\n".encode())
    rig.clock.advance(60)
    await rig.get(POLL)
    await rig.registry.follow()


@pytest.mark.parametrize(
    ("ahead", "offset"),
    [
        (datetime.timedelta(hours=2), "UTC+02:00"),
        (datetime.timedelta(hours=5, minutes=45), "UTC+05:45"),
        (datetime.timedelta(hours=-12), "UTC-12:00"),
        (datetime.timedelta(hours=14), "UTC+14:00"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_zone_is_found(rig: Rig, ahead: datetime.timedelta, offset: str) -> None:
    """Punches in real time show it; the advice has the commands for this terminal."""
    await punch_with_clock(rig, ahead)
    fault = (await faults(rig))["clock"]
    assert fault["state"] == "error"
    assert f"its clock has the time of {offset}, and its zone here is UTC" in fault["detail"]
    assert "zkpush devices set T1 timezone=" in fault["advice"]
    (problem,) = await rig.items("/problems?device=T1&code=clock+wrong")
    assert problem["detail"] == fault["detail"]


@pytest.mark.parametrize(
    ("ahead", "shown"),
    [
        (datetime.timedelta(days=-1096), "1096 d behind"),
        (datetime.timedelta(hours=-26), "1 d 2 h behind"),
        (datetime.timedelta(days=1), "1 d ahead of"),
        (datetime.timedelta(hours=-15), "15 h behind"),
        (datetime.timedelta(hours=14, minutes=15), "14 h 15 min ahead of"),
        (datetime.timedelta(minutes=37), "37 min ahead of"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_clock_is_no_wrong_zone(
    rig: Rig, ahead: datetime.timedelta, shown: str
) -> None:
    """No time zone has such an offset, so the advice is to set the clock."""
    await punch_with_clock(rig, ahead)
    fault = (await faults(rig))["clock"]
    assert fault["detail"] == f"Its clock is {shown} the server's."
    assert fault["advice"].startswith("Set its clock in its menu, or restart it")
    assert "timezone=" not in fault["advice"]
    (problem,) = await rig.items("/problems?device=T1&code=clock+wrong")
    assert problem["detail"] == fault["detail"]
    assert problem["advice"].startswith("Set its clock in its menu, or restart it")


@pytest_twisted.ensureDeferred
async def test_rejects_are_found(rig: Rig) -> None:
    """Both what is set aside, and that the last upload held nothing else."""
    await rig.exchange()
    assert (await rig.post(ATTLOG, b"7\tnot-a-time\t0\t1\n")).body == b"OK: 0"
    found = await faults(rig)
    assert found["rejects"]["state"] == "error"
    assert "zkpush rejects list --device T1" in found["rejects"]["advice"]
    assert "none that was understood" in found["records"]["detail"]


@pytest_twisted.ensureDeferred
async def test_a_stuck_queue_is_found(rig: Rig) -> None:
    """A command that is due for more than ten minutes; one that is new, or later, is not."""
    await working(rig)
    sent = await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    assert sent.status == 202, sent.raw
    await rig.post(ATTLOG, b"8\t2026-01-05 08:00:00\t0\t1\n")
    assert "queue" not in await faults(rig)
    rig.clock.advance(240)
    await rig.post(ATTLOG, b"8\t2026-01-05 08:01:00\t0\t1\n")
    found = await examined(rig)
    (queue,) = [one for one in found["checks"] if one["name"] == "queue"]
    assert queue["state"] == "unknown"
    assert "It has not asked for commands since 2026-03-01" in queue["detail"]
    assert "still so 10 minutes after" in queue["detail"]
    assert "queue" in found["next"]
    rig.clock.advance(361)
    await rig.post(ATTLOG, b"9\t2026-01-05 08:00:00\t0\t1\n")
    await look_at_queues(rig)
    assert "It has not asked for commands" in (await faults(rig))["queue"]["detail"]


@pytest_twisted.ensureDeferred
async def test_a_command_that_was_fetched_and_not_answered_is_said_at_once(rig: Rig) -> None:
    """Before it is a fault; an answer ends it."""
    await working(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    line = (await rig.get(POLL)).body
    rig.clock.advance(90)
    await rig.get(POLL)
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    assert checks["queue"]["state"] == "unknown"
    assert "It fetched INFO, queued at" in checks["queue"]["detail"]
    await rig.post("devicecmd?SN=T1", b"ID=%b&Return=0&CMD=INFO" % line.split(b":")[1])
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    assert checks["queue"]["state"] == "ok"


@pytest_twisted.ensureDeferred
async def test_a_foreign_token_or_key_is_found(rig: Rig) -> None:
    """Something else uses the serial number, or the terminal mixes up its sessions."""
    given, other = [token(await rig.exchange(sn)) for sn in ("T1", "T2")]
    assert await upload(rig, b"token=" + given) == (200, b"OK: 1")
    assert "exchange" not in await faults(rig)
    assert await upload(rig, b"token=" + other) == BEGIN_AGAIN
    fault = (await faults(rig))["exchange"]
    assert "came with another secret, or token, than that of its session" in fault["detail"]
    assert fault["follows"] == "token not returned"
    fault = (await faults(rig))["token not returned"]
    assert fault["advice"].index("Restart the") < fault["advice"].index("token=check")
    await rig.exchange(pushcommkey="one")
    await rig.exchange(pushcommkey="other")
    fault = (await faults(rig))["several pushcommkeys"]
    assert "zkpush devices approve T1 --key" in fault["advice"]


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_gone_or_never_came_is_found(rig: Rig) -> None:
    """The advice is to look at the terminal and its network."""
    await working(rig)
    rig.clock.advance(7200)
    assert "2 hours ago" in (await faults(rig))["connection"]["detail"]
    await rig.api("PUT", "/devices/T2", {"state": "approved"})
    fault = (await faults(rig, "/devices/T2/doctor"))["connection"]
    assert fault["detail"] == "It has never connected."
    missing = await rig.api("GET", "/devices/T9/doctor")
    assert missing.status == 404
    assert "has not reached this server" in missing.json["detail"]


@pytest_twisted.ensureDeferred
async def test_an_installation_is_checked(make_rig) -> None:
    """Modes of secret files, the zone, the audit log and pending terminals are looked at."""
    rig = await make_rig(admission="approve", timezone=None)
    folder = rig.config.data
    (folder / "admin.token").write_text("x")
    for path, mode in ((folder, 0o700), (folder / "admin.token", 0o600), (folder / "key", 0o600)):
        path.chmod(mode)
    # There are no ports in memory.
    assert (await faults(rig, "/doctor")).keys() == {"ports", "zone"}
    (folder / "key").chmod(0o644)
    await rig.get(POLL)
    found = await faults(rig, "/doctor")
    assert "mode 0644" in found["modes"]["detail"]
    assert "T1" in found["terminals"]["detail"]
    assert found["terminals"]["advice"].endswith(
        "`zkpush devices approve T1 --timezone ZONE` (ZONE such as Europe/Berlin)."
    )


@pytest_twisted.ensureDeferred
async def test_a_changed_audit_log_is_found(rig: Rig) -> None:
    """Also while the daemon runs."""
    await rig.api("PUT", "/devices/T1", {"alias": "Door"})
    assert "audit" not in await faults(rig, "/doctor")

    def change(tx) -> None:
        rows = tx.connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
        )
        for (name,) in rows.all():
            tx.connection.execute(text(f"DROP TRIGGER {name}"))
        tx.connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE id = 1"))

    await rig.store.write(change)
    fault = (await faults(rig, "/doctor"))["audit"]
    assert fault["state"] == "error"
    assert "row 1 was changed" in fault["detail"]
