"""A person with only `doctor` and `trace` finds why the records of a terminal do not arrive."""

from __future__ import annotations

import datetime
import re
from collections.abc import Awaitable, Callable

import attrs
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from ..cli.program import start
from ..rig import TOKEN, Rig, talk
from ..server.test_tokens_of_sessions import token, upload

ATTLOG = "cdata?SN=T1&table=ATTLOG&Stamp=9999"
POLL = "getrequest?SN=T1"
ADDRESS = "192.0.2.7"
HELLO_OF_TLS = bytes.fromhex("1603010200010001fc0303") + bytes(100)
OTHER_SERVER = b"token=0123456789abcdef0123456789abcdef"


async def working(rig: Rig) -> None:
    """A terminal that works."""
    await rig.exchange()
    await rig.post(ATTLOG, b"7\t2026-01-05 08:00:00\t0\t1\n")
    await rig.get(POLL)


async def punching(rig: Rig, ahead: int) -> None:
    """A terminal whose clock is so many seconds ahead, and its punches in real time."""
    await rig.exchange()
    for minute in range(4):
        rig.clock.advance(60)
        now = datetime.datetime.fromtimestamp(rig.clock.wall_seconds() + ahead, datetime.UTC)
        await rig.post(ATTLOG, f"{minute}\t{now:%Y-%m-%d %H:%M:%S}\t0\t1\n".encode())
    rig.clock.advance(60)
    await rig.get(POLL)
    await rig.registry.follow()


async def wrong_zone(rig: Rig) -> None:
    """The clock is that of another zone than the one that is set."""
    await punching(rig, -8 * 3600)


async def wrong_clock(rig: Rig) -> None:
    """The clock is wrong by no number of hours; the terminal has missed some polls."""
    await punching(rig, 37 * 60)
    rig.clock.advance(120)


async def refused(rig: Rig) -> None:
    """The terminal is in another network than it may be."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"networks": ["198.51.100.0/24"]})
    await rig.post(ATTLOG, b"7\t2026-01-05 08:00:01\t0\t1\n")


async def pending(rig: Rig) -> None:
    """Nobody has approved it."""
    await rig.get(POLL)


async def blocked(rig: Rig) -> None:
    """An operator has blocked it, and it has gone silent since."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    await rig.get(POLL)
    rig.clock.advance(1800)


async def access_control(rig: Rig) -> None:
    """Its menu says A&C PUSH."""
    await rig.exchange(DeviceType="acc", pushver="3.1.2")
    await rig.post("registry?SN=T1", b"DeviceType=acc,~DeviceName=Gate")
    await rig.post("cdata?SN=T1&table=rtlog", b"time=2026-01-05 08:00:00\tpin=7\tevent=0\r\n")


async def https_on_the_plain_port(rig: Rig) -> None:
    """Its menu says HTTPS."""
    await working(rig)
    rig.clock.advance(7200)
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    await rig.registry.follow()


async def unknown_path(rig: Rig) -> None:
    """It sends to a path that the protocol does not have."""
    await working(rig)
    await rig.post("attendance/upload?SN=T1", b"7,2026-01-05 08:00:01")


async def asks(rig: Rig, target: str, address: str = ADDRESS) -> int:
    """Any request; the status of its reply."""
    head = f"GET {target} HTTP/1.1\r\nHost: server\r\n\r\n"
    return (await talk(rig.terminals, head.encode(), address)).status


async def other_prefix(rig: Rig) -> None:
    """A proxy in front adds a prefix to its paths."""
    await working(rig)
    await asks(rig, f"/zk/iclock/{POLL}")


async def other_path_without_token(rig: Rig) -> None:
    """It has returned its token before, and a request for another path does not."""
    given = token(await rig.exchange())
    await upload(rig, b"token=" + given)
    assert await asks(rig, f"/foo/{POLL}") == 200


async def other_path_of_new_terminal(rig: Rig) -> None:
    """It has never reached a path of this server."""
    assert await asks(rig, "/iclok/cdata?SN=T1&options=all") == 404


async def new_terminal_of_closed_server(rig: Rig) -> None:
    """The server takes no unknown terminals."""
    assert await asks(rig, "/iclock/cdata?SN=T1&options=all") == 403


async def rejects(rig: Rig) -> None:
    """It writes times that nobody can read."""
    await rig.exchange()
    await rig.post(ATTLOG, b"1452\tnot-a-time\t0\t1\n")


async def foreign_token(rig: Rig) -> None:
    """It returns the cookie of the server that it used before."""
    await working(rig)
    head = b"GET /iclock/%b HTTP/1.1\r\nHost: server\r\nCookie: %b\r\n\r\n"
    await talk(rig.terminals, head % (POLL.encode(), OTHER_SERVER), ADDRESS)


async def unfetched_queue(rig: Rig) -> None:
    """It uploads, and fetches no commands."""
    await working(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    rig.clock.advance(1200)
    await rig.post(ATTLOG, b"7\t2026-01-05 08:00:01\t0\t1\n")


async def unanswered_queue(rig: Rig) -> None:
    """It fetches a command again and again, and never answers."""
    await working(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    for _ in range(2):
        assert b":INFO" in (await rig.get(POLL)).body
        rig.clock.advance(600)
    await rig.get(POLL)


@attrs.frozen
class Cause:
    """A cause of missing records, and how a person finds it."""

    set_up: Callable[[Rig], Awaitable[None]]
    found: str
    """Pattern of the line of `doctor` that names the cause."""
    advice: str
    """Pattern of what to do next."""
    traced: str | None = None
    """Pattern of the line of `devices trace` that shows it; None if no request does."""
    admission: str = "open"
    is_known: bool = True
    """Whether the server has recorded the terminal."""


CAUSES = {
    "wrong zone": Cause(
        wrong_zone,
        r"clock +Its clock is 8 h behind .* time of UTC-08:00, and its zone here is UTC\.",
        r"Correct its zone: `zkpush devices set T1 timezone=",
    ),
    "wrong clock": Cause(
        wrong_clock,
        r"clock +Its clock is 37 min ahead of the server's\.$",
        r"Set its clock in its menu",
    ),
    "refused": Cause(
        refused,
        r"other address +.* from 192\.0\.2\.7, which is in none of its networks, and was refused",
        r"If the terminal is there now, add .* `zkpush devices set T1 networks=NETWORK,…`",
        r"403 .* may not come from this address",
    ),
    "pending": Cause(
        pending,
        r"admission +It is pending",
        r"If it is yours, approve it: `zkpush devices approve T1`\. .* `zkpush devices block T1`\.",
        r"403 .* waits for approval",
        admission="approve",
    ),
    "blocked": Cause(
        blocked,
        r"admission +It is blocked",
        r"If that is a mistake, approve it again: `zkpush devices approve T1`\.",
        r"403 .* is blocked by an operator",
    ),
    "access-control mode": Cause(
        access_control,
        r"access-control mode +The terminal speaks the access-control protocol",
        r"Set it to attendance in its menu: System, Device Type Setting, T&A PUSH\.",
        r"/iclock/registry +404 ",
    ),
    "HTTPS on the plain port": Cause(
        https_on_the_plain_port,
        r"TLS on a plain port +.* TLS connections come from 192\.0\.2\.7",
        r"If it is a terminal, turn HTTPS off in its server settings",
    ),
    "unknown path": Cause(
        unknown_path,
        r"requests +It asks for what this server does not speak: POST /iclock/attendance/",
        r"It may speak another protocol, .* Otherwise update zkpush\.",
        r"POST +/iclock/attendance/… +404 ",
    ),
    "prefix of a proxy": Cause(
        other_prefix,
        r"requests +It asks for what this server does not speak: GET /zk/iclock/…\.",
        r".* server address in the terminal's menu .* proxy .* without a prefix",
        r"GET +/zk/iclock/… +404 ",
    ),
    "unknown path without a token": Cause(
        other_path_without_token,
        r"requests +It asks for what this server does not speak: GET /foo/getrequest\.",
        r".* server address in the terminal's menu",
        r"GET +/foo/getrequest +200 .* UNKNOWN DEVICE",
    ),
    "unknown path of a new terminal": Cause(
        other_path_of_new_terminal,
        r"refusals +It is not among the terminals, .* path is not served "
        r"\(GET /iclok/cdata, once, from 192\.0\.2\.7\)",
        r".* server address in the terminal's menu .* proxy .* without a prefix",
        is_known=False,
    ),
    "new terminal of a closed server": Cause(
        new_terminal_of_closed_server,
        r"refusals +It is not among the terminals, .* terminal is unknown",
        r".* add it: `zkpush devices approve T1 --add`\.",
        admission="closed",
        is_known=False,
    ),
    "rejects": Cause(
        rejects,
        r"rejects +1 part of an upload is set aside; of ATTLOG: Time",
        r"See it, and why, with `zkpush rejects list --device T1`",
        r"ATTLOG +200 .* OK: 0$",
    ),
    "foreign token": Cause(
        foreign_token,
        r"foreign token .* sends a foreign token, which this server did not issue",
        r"It is that of the server that the terminal used before: restart the terminal\.",
    ),
    "commands not fetched": Cause(
        unfetched_queue,
        r"queue +It has not asked for commands since 2026-03-01 12:00:00 UTC \(no getrequest\)\.",
        r"Restart it, .* passes /iclock/getrequest on\. .* `zkpush commands list T1`",
    ),
    "commands not answered": Cause(
        unanswered_queue,
        r"queue +It fetched INFO, queued at 2026-03-01 12:00:00 UTC, and has not answered\.",
        r"Restart it\. Cancel what it never answers: `zkpush commands list T1`",
        r"getrequest .* command [0-9A-Za-z]+: INFO",
    ),
}


async def run(rig: Rig, *words: str) -> tuple[int, str]:
    """A run of `zkpush` against a daemon inside the test: its status, and what it prints."""
    port = reactor.listenTCP(0, rig.manage, interface="127.0.0.1")
    url = f"http://127.0.0.1:{port.getHost().port}"
    try:
        process = start("--url", url, "--token", TOKEN, *words)
        out, err = await deferToThread(process.communicate)
    finally:
        await port.stopListening()
    assert err == ""
    return process.returncode, out


@pytest.mark.parametrize("name", CAUSES)
@pytest_twisted.ensureDeferred
async def test_a_person_finds_the_cause_and_what_to_do(make_rig, name: str) -> None:
    """`doctor` names it in words and ends with what to do; `trace` shows the request behind it."""
    cause = CAUSES[name]
    rig = await make_rig(admission=cause.admission, timezone="UTC")
    await cause.set_up(rig)
    status, examined = await run(rig, "doctor", "T1")
    assert status == 1
    assert re.search(f"^error +{cause.found}", examined, re.MULTILINE), examined
    assert re.match(f"Next: {cause.advice}", examined.splitlines()[-1]), examined
    if not cause.is_known:
        return
    _, traced = await run(rig, "devices", "trace", "T1")
    assert traced.splitlines()[-1] == "Next: zkpush doctor T1"
    if cause.traced is not None:
        assert re.search(cause.traced, traced, re.MULTILINE), traced


@pytest_twisted.ensureDeferred
async def test_consequences_of_another_fault_are_no_errors(make_rig) -> None:
    """A pending terminal has one error: that nobody has approved it; its zone comes with that."""
    rig = await make_rig(admission="approve", timezone=None)
    await pending(rig)
    _, examined = await run(rig, "doctor", "T1")
    assert re.findall("^error +(.*?)  ", examined, re.MULTILINE) == ["admission"]
    assert "`zkpush devices approve T1 --timezone Europe/Berlin`" in examined.splitlines()[-1]
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    await rig.get(POLL)
    _, examined = await run(rig, "doctor", "T1")
    assert re.search("^unknown +refusals +.* because it is blocked", examined, re.MULTILINE), (
        examined
    )


@pytest_twisted.ensureDeferred
async def test_what_stops_everything_comes_before_a_missing_zone(make_rig) -> None:
    """Of several errors, the next step is the one without which the others do not matter."""
    rig = await make_rig(timezone=None)
    await rejects(rig)
    _, examined = await run(rig, "doctor", "T1")
    assert {"zone", "rejects"} <= {*re.findall("^error +(.*?)  ", examined, re.MULTILINE)}
    assert "Next: See it, and why, with `zkpush rejects list --device T1`" in examined
    rig.clock.advance(7200)
    _, examined = await run(rig, "doctor", "T1")
    assert "Next: Check its power and network" in examined


@pytest_twisted.ensureDeferred
async def test_strangers_are_a_warning_of_the_installation(make_rig) -> None:
    """Each serial number once, for an hour; not those that are terminals."""
    rig = await make_rig(admission="approve", timezone="UTC")
    await pending(rig)
    for sn in ("T1", "T2", "T2", "T3"):
        await asks(rig, f"/other/cdata?SN={sn}")
    _, examined = await run(rig, "doctor")
    (line,) = re.findall("^warning +strangers +(.*)", examined, re.MULTILINE)
    assert line.startswith("Requests with 2 serial numbers of no known terminal ")
    assert "T3, 0 seconds ago: path is not served (GET /other/cdata, once" in line
    assert "T2, 0 seconds ago: path is not served (GET /other/cdata, 2 times" in line
    rig.clock.advance(3601)
    _, examined = await run(rig, "doctor")
    assert not re.search("^warning +strangers", examined, re.MULTILINE)


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_works_has_none_of_these_causes(make_rig) -> None:
    """All lines are ok, there is nothing to do, and a line says what its display should show."""
    rig = await make_rig(timezone="Europe/Berlin")
    await working(rig)
    status, examined = await run(rig, "doctor", "T1")
    assert status == 0
    assert examined.splitlines()[-1] == "Next: No fault was found. Not known yet: clock."
    assert re.search(
        "^unknown +clock +.* 3 punches in real time, at least 10 seconds", examined, re.M
    )
    assert "Its time zone is Europe/Berlin: its display should show 2026-03-01 13:00." in examined
    assert not re.search("^(error|warning)", examined, re.MULTILINE)


@pytest_twisted.ensureDeferred
async def test_refusals_of_a_pending_terminal_are_over_when_it_is_approved(make_rig) -> None:
    """What was refused while it waited for approval needs no look any more."""
    rig = await make_rig(admission="approve", timezone="UTC")
    await pending(rig)
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    await working(rig)
    status, examined = await run(rig, "doctor", "T1")
    assert status == 0
    assert re.search("^ok +refusals", examined, re.MULTILINE), examined


@pytest_twisted.ensureDeferred
async def test_an_unknown_request_is_one_line_of_the_doctor(rig: Rig) -> None:
    """As long as the request is in the trace, and afterwards."""
    await unknown_path(rig)
    for _ in range(2):
        checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
        (check,) = [one for one in checks if "POST /iclock/attendance" in one["detail"]]
        assert (check["name"], check["state"]) == ("requests", "error")
        assert "unknown requests" not in [one["name"] for one in checks]
        rig.clock.advance(2 * 3600)
