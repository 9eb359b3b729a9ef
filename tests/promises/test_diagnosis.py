"""A person with only `doctor` and `trace` finds why the records of a terminal do not arrive."""

from __future__ import annotations

import re

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from zkpush.handlers.doctor.model import Check, examination
from zkpush.handlers.doctor.server import rank_of_server

from ..cli.program import environment, start
from ..rig import TOKEN, Rig, talk
from ..server.test_tokens_of_sessions import upload
from .causes import CAUSES
from .situations import (
    ADDRESS,
    HELLO_OF_TLS,
    OTHER_SERVER,
    POLL,
    asks,
    https_behind_one_address,
    other_token,
    pending,
    rejects,
    unknown_path,
    working,
)


async def run(rig: Rig, *words: str) -> tuple[int, str]:
    """A run of `zkpush` without messages: its status, and what it prints."""
    status, out, err = await ran(rig, *words)
    assert err == ""
    return status, out


async def ran(rig: Rig, *words: str) -> tuple[int, str, str]:
    """A run of `zkpush` against a daemon inside the test: its status, output and messages."""
    port = reactor.listenTCP(0, rig.manage, interface="127.0.0.1")
    url = f"http://127.0.0.1:{port.getHost().port}"
    try:
        process = start(*words, env=environment(ZKPUSH_URL=url, ZKPUSH_TOKEN=TOKEN))
        out, err = await deferToThread(process.communicate)
    finally:
        await port.stopListening()
    return process.returncode, out, err


@pytest.mark.parametrize("name", CAUSES)
@pytest_twisted.ensureDeferred
async def test_a_person_finds_the_cause_and_what_to_do(make_rig, name: str) -> None:
    """`doctor` names it in words and ends with what to do; `trace` shows the request behind it."""
    cause = CAUSES[name]
    rig = await make_rig(admission=cause.admission, timezone="UTC")
    await cause.set_up(rig)
    status, examined = await run(rig, "doctor", "T1")
    assert status == (cause.state == "error")
    assert re.search(f"^{cause.state} +{cause.found}", examined, re.MULTILINE), examined
    assert re.match(f"Next: {cause.advice}", examined.splitlines()[-1]), examined
    if not (cause.is_known and cause.is_heard):
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
    assert "`zkpush devices approve T1 --timezone ZONE`" in examined.splitlines()[-1]
    assert examined.splitlines()[-1].endswith("ZONE is a name such as Europe/Berlin.")
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
    assert re.search("^Next: Look at .* `zkpush rejects list --device T1`", examined, re.M)
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
        "^unknown +clock +.* 3 punches while it is connected, at least 10 sec", examined, re.M
    )
    assert "Its time zone is Europe/Berlin: its display should show 2026-03-01 13:00." in examined
    assert not re.search("^(error|warning)", examined, re.MULTILINE)


async def checks_of(rig: Rig, path: str = "/devices/T1/doctor") -> dict[str, tuple[str, str]]:
    """State and detail of the checks of a terminal, or of the installation."""
    checks = (await rig.api("GET", path)).json["checks"]
    return {one["name"]: (one["state"], one["detail"]) for one in checks}


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_was_only_refused_was_not_heard_of(make_rig) -> None:
    """Requests from outside its networks say nothing about its connection."""
    rig: Rig = await make_rig()
    await rig.api("PUT", "/devices/T1", {"state": "approved", "networks": ["198.51.100.0/24"]})
    await rig.exchange()
    found = await checks_of(rig)
    assert found["connection"] == ("unknown", "All requests in its name were refused.")
    checks = {
        one["name"]: one for one in (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    }
    assert checks["refusals"]["follows"] == "other address"
    advice = checks["other address"]["advice"]
    assert "add that to its networks" in advice
    assert "restrict" not in advice


@pytest_twisted.ensureDeferred
async def test_an_upload_that_was_not_taken_is_no_upload(rig: Rig) -> None:
    """The reply was UNKNOWN DEVICE, and nothing is stored."""
    await other_token(rig)
    for _ in range(70):
        await upload(rig, OTHER_SERVER)
    await rig.api("POST", "/devices/T1/commands", {"command": "CLEAR LOG"})
    assert (await checks_of(rig))["exchange"][0] == "warning"
    assert "uploaded attendance records 1 minute" not in (await checks_of(rig))["records"][1]


@pytest_twisted.ensureDeferred
async def test_records_that_were_read_again_count(make_rig) -> None:
    """The terminal sent them to a path that is not served, and they are stored all the same."""
    rig: Rig = await make_rig()
    await rig.exchange()
    await rig.post("foo/cdata?SN=T1&table=ATTLOG", b"7\t2026-01-05 08:00:00\t0\t1\n")
    found = await checks_of(rig)
    assert (
        found["rejects"][1]
        == "1 upload that was not understood is kept, of POST /iclock/foo/…, which is not served."
    )
    assert found["records"][0] == "warning"
    await rig.api("POST", "/rejects/retry", {})
    assert (await checks_of(rig))["records"] == ("ok", "Attendance records of it are stored.")


@pytest_twisted.ensureDeferred
async def test_https_comes_before_power_for_each_silent_terminal_of_an_address(rig: Rig) -> None:
    """Its advice ends with power and network, because it may be another one."""
    for sn in ("A1", "A2"):
        await rig.exchange(sn, address=ADDRESS)
    rig.clock.advance(300)
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    await rig.registry.follow()
    found = await checks_of(rig, "/devices/A1/doctor")
    assert (found["connection"][0], found["TLS on a plain port"][0]) == ("warning", "error")
    first = (await rig.api("GET", "/devices/A1/doctor")).json["next"]
    assert first.index("turn HTTPS off") < first.index("check the power and network")


@pytest_twisted.ensureDeferred
async def test_terminals_behind_the_address_of_one_with_https_are_not_blamed(rig: Rig) -> None:
    """There is one problem, of the address, which names them all."""
    await https_behind_one_address(rig)
    (problem,) = [
        one for one in await rig.items("/problems") if one["code"] == "TLS on a plain port"
    ]
    assert problem["device"] is None
    assert "T1. These" in problem["detail"]
    assert "A1, A2" in problem["detail"]
    for path in ("/doctor", "/devices/A1/doctor"):
        state, detail = (await checks_of(rig, path))["TLS on a plain port"]
        assert state == "error"
        assert detail.count(ADDRESS) == 1
    await rig.api("PATCH", "/devices/T1", {"networks": ["198.51.100.0/24"]})
    rig.clock.advance(1)
    await rig.exchange("T1")
    assert "TLS on a plain port" not in await checks_of(rig), "it speaks HTTP, and is refused"


@pytest_twisted.ensureDeferred
async def test_https_shows_before_a_known_terminal_counts_as_silent(rig: Rig) -> None:
    """It missed two polls, and was not heard of since the first TLS connection from its address."""
    await working(rig)
    rig.clock.advance(5)
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    assert "TLS on a plain port" not in await checks_of(rig), "it may poll any second"
    rig.clock.advance(16)
    assert (await checks_of(rig))["TLS on a plain port"][0] == "error"
    rig.clock.advance(5)
    await rig.get(POLL)
    assert "TLS on a plain port" not in await checks_of(rig)


@pytest_twisted.ensureDeferred
async def test_https_of_a_terminal_stands_once_in_the_overview(rig: Rig) -> None:
    """The problem of the terminal explains it, until that terminal is heard of again."""
    await working(rig)
    rig.clock.advance(300)
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    rig.clock.advance(3600)
    assert (await problems_of_tls(rig)) == ["T1"]
    assert "Silent: " not in str((await rig.api("GET", "/doctor")).json), "its TLS says it"
    await rig.api("PUT", "/devices/NEW", {"state": "approved"})
    rig.clock.advance(61)
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    assert (await problems_of_tls(rig)) == ["T1"], "a new terminal is no reason to say it again"
    rig.clock.advance(61)
    await rig.exchange(address=ADDRESS)
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    assert (await problems_of_tls(rig)) == [None, "T1"]


async def problems_of_tls(rig: Rig) -> list[str | None]:
    """The terminals of the problems, which the overview shows as often; None for an address."""
    found = [
        one["device"]
        for one in await rig.items("/problems")
        if one["code"] == "TLS on a plain port"
    ]
    shown = (await rig.api("GET", "/doctor")).json["checks"]
    assert len(found) == [one["name"] for one in shown].count("TLS on a plain port")
    return found


@pytest_twisted.ensureDeferred
async def test_https_names_the_terminal_that_is_examined(rig: Rig) -> None:
    """It may be one of many at an address, of which a few are named."""
    for number in range(8):
        await rig.exchange(f"A{number}", address=ADDRESS)
    await rig.api("PUT", "/devices/B1", {"state": "approved"})
    rig.clock.advance(3600)
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    _, detail = (await checks_of(rig, "/devices/A7/doctor"))["TLS on a plain port"]
    assert "and 3 more" in detail
    assert detail.endswith("A7 may be the one.")
    _, detail = (await checks_of(rig, "/devices/B1/doctor"))["TLS on a plain port"]
    assert "may be the one" not in detail, "it is named already"


@pytest_twisted.ensureDeferred
async def test_a_bad_serial_number_shows_in_the_check_of_the_installation(rig: Rig) -> None:
    """There is no terminal to examine; the address and the reason are named."""
    for query in ("SN=A%20B&options=all", "options=all"):
        assert await asks(rig, f"/iclock/cdata?{query}") == 400
    state, detail = (await checks_of(rig, "/doctor"))["serial numbers"]
    assert state == "warning"
    assert "missing or malformed" in detail
    assert "2 times in 0 seconds, from 192.0.2.7" in detail


@pytest_twisted.ensureDeferred
async def test_pending_terminals_hide_no_problems(make_rig) -> None:
    """Both are lines of the installation, and come before a missing zone of the server."""
    rig: Rig = await make_rig(admission="approve", timezone=None)
    await rig.api("PUT", "/devices/T2", {"state": "approved"})
    await rig.exchange("T2")
    await pending(rig)
    _, examined = await run(rig, "doctor")
    assert re.search(r"^warning +terminals +Pending: 1 of 2 terminals: T1\.", examined, re.M)
    assert re.search(
        r"^warning +terminals +With problems: 1 of 2 terminals: T2 \(no zone\)", examined, re.M
    )


def test_a_missing_zone_of_the_server_is_not_what_to_do_first() -> None:
    """Terminals in trouble come before it."""
    zone = Check("zone", "warning", "none", "Set the zone.")
    terminals = Check("terminals", "warning", "pending", "Approve them.")
    assert examination([zone, terminals], rank_of_server).next == "Approve them."
    assert examination([zone], rank_of_server).next == "Set the zone."


@pytest_twisted.ensureDeferred
async def test_refusals_of_a_pending_terminal_are_over_when_it_is_approved(make_rig) -> None:
    """What was refused while it waited for approval needs no look any more."""
    rig = await make_rig(admission="approve", timezone="UTC")
    await pending(rig)
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    await working(rig)
    status, examined = await run(rig, "doctor", "T1")
    assert status == 0
    said = r"^ok +refusals +1 of its requests was refused .* before it was approved\."
    assert re.search(said, examined, re.MULTILINE), examined


@pytest_twisted.ensureDeferred
async def test_an_unknown_request_is_one_line_of_the_doctor(rig: Rig) -> None:
    """As long as the request is in the trace, and afterwards."""
    await unknown_path(rig)
    for _ in range(2):
        checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
        named = [one for one in checks if "POST /iclock/attendance" in one["detail"]]
        (check,) = [one for one in named if one["name"] != "rejects"]
        assert (check["name"], check["state"]) == ("requests", "error")
        assert "unknown requests" not in [one["name"] for one in checks]
        rig.clock.advance(2 * 3600)
