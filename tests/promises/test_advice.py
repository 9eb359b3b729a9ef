"""Advice of the doctor and of problems: what it is about comes first, and it is true."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.persist.events import EventStore

from ..rig import Rig, talk
from .situations import ADDRESS, HELLO_OF_TLS, POLL, asks, look_at_queues, unknown_path, working
from .test_diagnosis import checks_of, run


async def advice_on(rig: Rig, code: str) -> str:
    """What the list of problems advises T1."""
    (problem,) = await rig.items(f"/problems?device=T1&code={code}")
    return problem["advice"]


@pytest_twisted.ensureDeferred
async def test_each_kind_of_unknown_request_is_advised_on_first_and_alone(rig: Rig) -> None:
    """The list of problems, the doctor and events have the advice of that kind."""
    await unknown_path(rig)
    advice = await advice_on(rig, "unknown+requests")
    assert advice.startswith("It may speak another protocol")
    assert advice.count("zkpush rejects show ID") == 1
    assert "/iclock/" not in advice
    events = await rig.store.read(lambda tx: tx[EventStore].of_kind("problem", 0))
    assert advice in [one.data.get("advice") for one in events]
    checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    assert advice in [one["advice"] for one in checks]
    await rig.post("cdata?SN=T1&table=FOOLOG", b"1\t2")
    advice = await advice_on(rig, "unknown+requests")
    assert advice.index("another protocol") < advice.index("Install the plugin for the table")
    assert advice.count("Install the plugin for the table") == 1


@pytest_twisted.ensureDeferred
async def test_a_body_of_damaged_lines_is_as_many_rejects_in_each_list(rig: Rig) -> None:
    """One, because it is kept whole: in the trace, the problem and the list."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"7\tbad\t0\t1\n8\tworse\t0\t1\n")
    traced = await rig.items("/devices/T1/trace")
    assert traced[-1]["answered"] == "OK: 0 (1 part not understood, and kept)"
    (problem,) = await rig.items("/problems?device=T1")
    assert problem["detail"].startswith("1 upload that was not understood is kept")
    assert len(await rig.items("/rejects")) == 1


@pytest_twisted.ensureDeferred
async def test_a_stuck_queue_is_a_fault_when_it_is_a_problem(rig: Rig) -> None:
    """Until a job has looked, neither says so; after that, both do."""
    await working(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    for _ in range(2):
        await rig.get(POLL)
        rig.clock.advance(600)
    await rig.get(POLL)
    assert await rig.items("/problems?device=T1") == []
    assert (await checks_of(rig))["queue"][0] == "unknown"
    await look_at_queues(rig)
    (problem,) = await rig.items("/problems?device=T1")
    assert (await checks_of(rig))["queue"] == ("error", problem["detail"])


@pytest_twisted.ensureDeferred
async def test_no_further_command_is_advised_where_commands_are_not_answered(rig: Rig) -> None:
    """Nor where the terminal is not connected: what keeps commands from it comes first."""
    await rig.exchange()
    assert "zkpush devices resend T1" in await advice_of_records(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    rig.clock.advance(120)
    await rig.exchange()
    assert "resend" not in await advice_of_records(rig)
    assert "See to these first: `zkpush commands list T1`" in await advice_of_records(rig)
    rig.clock.advance(300)
    assert await advice_of_records(rig) == "It is not connected: see to that first."


async def advice_of_records(rig: Rig) -> str:
    """What the doctor advises on the records of T1."""
    checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    return next(one["advice"] for one in checks if one["name"] == "records")


@pytest_twisted.ensureDeferred
async def test_terminals_that_speak_http_are_no_suspects_of_https(rig: Rig) -> None:
    """Neither one that is refused at that address, nor one that was heard since."""
    for sn in ("A1", "A2", "A3"):
        await rig.exchange(sn, address=ADDRESS)
    await rig.api("PATCH", "/devices/A2", {"networks": ["198.51.100.0/24"]})
    rig.clock.advance(7200)
    await asks(rig, "/iclock/getrequest?SN=A2")
    await talk(rig.terminals, HELLO_OF_TLS, ADDRESS)
    rig.clock.advance(10)
    await asks(rig, "/iclock/getrequest?SN=A2")
    await rig.get("getrequest?SN=A3", address=ADDRESS)
    rig.clock.advance(40)
    found = [one["detail"] for one in await rig.items("/problems") if "TLS" in one["detail"]]
    assert [re.findall("A[0-9]", one) for one in found] == [["A1"]]


async def said_of(rig: Rig) -> dict[str, str]:
    """What the doctor advises on the faults of T1, by check."""
    checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    return {one["name"]: one["advice"] for one in checks if one["advice"]}


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_what_follows_from_a_missing_key_refers_to_it(make_rig) -> None:
    """One check has advice, which mends it; the others say that the refusals come first."""
    rig: Rig = await make_rig(admission="approve", timezone="UTC")
    await rig.exchange(pushcommkey="goodkey1")
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    await rig.exchange()
    await rig.get(POLL)
    said = await said_of(rig)
    assert said.pop("pushcommkey changed") == (
        "If its firmware no longer sends one, remove the pin: `zkpush devices set T1 comm_key=`. "
        "If it still does, something else uses its serial number."
    )
    assert said == {
        "refusals": "It follows from its pushcommkey: see to that first.",
        "exchange": "It follows from its pushcommkey: see to that first.",
        "records": "Its requests are refused: see to that first.",
    }
    await rig.exchange(pushcommkey="another")
    assert "pin its new key" in (await said_of(rig))["pushcommkey changed"], "one was offered"
    rig.clock.advance(1)
    status, _ = await run(rig, "devices", "set", "T1", "comm_key=")
    await rig.exchange()
    await rig.get(POLL)
    assert (status, (await said_of(rig)).keys()) == (0, {"records"})


@pytest_twisted.ensureDeferred
async def test_what_follows_from_another_network_refers_to_it(make_rig) -> None:
    """Also while the terminal is asked to begin a session, which it may not do from there."""
    rig: Rig = await make_rig(timezone="UTC")
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await rig.get(POLL)
    said = await said_of(rig)
    assert said["exchange"].startswith("Switch the terminal off and on by hand")
    assert said["refusals"] == "It is asked to begin a session: see to that first."
    assert said["records"] == "As said above."
    await rig.api("PATCH", "/devices/T1", {"networks": ["198.51.100.0/24"]})
    await rig.exchange()
    said = await said_of(rig)
    assert "add that to its networks" in said.pop("other address")
    assert said == {
        "refusals": "It follows from the address that it came from: see to that first.",
        "exchange": "It follows from the address that it came from: see to that first.",
        "records": "Its requests are refused: see to that first.",
    }
