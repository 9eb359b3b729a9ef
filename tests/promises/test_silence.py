"""Silent and blocked terminals are named wherever a person looks first."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.device.pace import RequestPace
from zkpush.device.silence import SILENT_AFTER
from zkpush.model import Problem
from zkpush.persist.devices import DeviceStore
from zkpush.problems import ProblemCode

from ..console.browser import signed_in, text_of
from ..rig import Rig
from .test_diagnosis import ran
from .test_doctor import faults, working


async def told(rig: Rig, *words: str) -> str:
    """What `zkpush` prints, on one line."""
    return " ".join(" ".join((await ran(rig, *words))[1:]).split())


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_silent_terminal_is_named_before_it_is_a_problem(rig: Rig) -> None:
    """The installation, the list of problems, the terminal itself and the API agree."""
    await working(rig)
    rig.clock.advance(599)
    assert "terminals" not in await faults(rig, "/doctor")
    assert "is silent" not in await told(rig, "problems", "list")
    assert (await faults(rig))["connection"]["state"] == "warning"
    rig.clock.advance(1)
    fault = (await faults(rig, "/doctor"))["terminals"]
    assert fault["detail"] == "Silent: 1 of 1 terminal: T1 (last heard of 10 minutes ago)."
    assert fault["advice"] == "Find out why: `zkpush doctor T1`."
    assert (await faults(rig))["connection"]["state"] == "error"
    assert (await rig.api("GET", "/devices/T1")).json["silent"]
    assert "1 approved terminal is silent: T1 (last heard of at " in await told(
        rig, "problems", "list"
    )
    assert "It is silent: last heard of at " in await told(
        rig, "problems", "list", "--device", "T1"
    )


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_blocked_terminal_is_named_and_is_no_fault(rig: Rig) -> None:
    """It is what an operator decided; it is not silent either."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    rig.clock.advance(3600)
    assert "terminals" not in await faults(rig, "/doctor")
    assert "Blocked, as an operator decided: 1 of 1 terminal: T1." in await told(rig, "doctor")
    assert "1 terminal is blocked, which is no problem: T1 (" in await told(rig, "problems", "list")
    assert "It is blocked, and its requests are refused." in await told(
        rig, "problems", "list", "--device", "T1"
    )


@pytest_twisted.ensureDeferred
async def test_all_places_name_the_same_terminals_as_silent(rig: Rig) -> None:
    """The API, the installation, and the pages of terminals and of attendance, at each instant."""
    browser = await signed_in(rig)
    await rig.exchange()
    for seconds, is_silent in ((30, False), (SILENT_AFTER // 1000 - 31, False), (1, True)):
        rig.clock.advance(seconds)
        assert (await rig.api("GET", "/devices/T1")).json["silent"] == is_silent
        assert ("terminals" in await faults(rig, "/doctor")) == is_silent
        page = text_of(await browser.get("/terminals"))
        assert (" silent " in page) == is_silent, page
        attendance = text_of(await browser.get("/attendance"))
        assert ("Nothing has come from T1 since" in attendance) == is_silent, attendance


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_lost_its_token_is_refused_and_not_silent(rig: Rig) -> None:
    """It makes requests all the time, and none is served."""
    await working(rig)
    rig.clock.advance(1)
    terminal = rig.registry.known("T1")
    assert terminal is not None
    problem = Problem(ProblemCode.TOKEN_MISSING, "It lost its token.", rig.registry.now())
    rig.registry.report(terminal, problem)
    rig.clock.advance(SILENT_AFTER // 1000)
    assert not (await rig.api("GET", "/devices/T1")).json["silent"]
    attendance = text_of(await (await signed_in(rig)).get("/attendance"))
    assert "The server refuses T1: its punches are missing." in attendance


async def polls(rig: Rig, *pauses: int) -> None:
    """Polls of T1 after pauses of so many seconds; what is noted is written."""
    for seconds in pauses:
        rig.clock.advance(seconds)
        await rig.get("getrequest?SN=T1")
        await rig.registry.finish()


async def is_connected(rig: Rig) -> bool:
    """Whether a terminal is online; the API and the doctor agree."""
    online = bool((await rig.api("GET", "/devices/T1")).json["online"])
    assert ("connection" not in await faults(rig)) == online
    return online


@pytest_twisted.ensureDeferred
async def test_a_terminal_is_missed_by_its_own_interval(rig: Rig) -> None:
    """One that polls once a minute is not offline in between, and keeps that over a restart."""
    await rig.exchange()
    await polls(rig, 60, 60)
    rig.clock.advance(48)
    assert not await is_connected(rig), "it does not do what it was told, and nothing else is known"
    await polls(rig, 12, 61, 60, 1, 60)
    for seconds, online in ((48, True), (100, True), (40, False)):
        rig.clock.advance(seconds)
        assert await is_connected(rig) == online
    device = await rig.store.read(lambda tx: tx[DeviceStore].find("T1"))
    assert device is not None
    assert device.poll_interval == 60


def test_an_interval_is_forgotten_when_a_terminal_polls_as_told() -> None:
    """After an hour without a long gap, not at the first short one."""
    pace, at = RequestPace(), 0
    for seconds in (60, 60, 60, 60):
        pace.note(at, at + 1000 * seconds, 10)
        at += 1000 * seconds
    assert pace.interval == 60
    for _ in range(359):
        pace.note(at, at + 10_000, 10)
        at += 10_000
    assert pace.interval == 60
    pace.note(at, at + 10_000, 10)
    assert pace.interval == 0


def test_processes_that_share_a_terminal_do_not_write_in_turns() -> None:
    """The shorter interval stays; the longer one is written once an hour at most."""
    known, writes = 0, []
    paces = {60: RequestPace(), 120: RequestPace()}
    for minute in range(120):
        for seconds, pace in paces.items():
            if minute * 60 % seconds == 0:
                at = minute * 60_000
                pace.note(at - 1000 * seconds, at, 10)
                if pace.interval is not None and pace.changes(known, at):
                    known = pace.interval
                    writes.append(known)
    assert known == 60
    assert writes == [60, 120, 60, 120, 60]


@pytest_twisted.ensureDeferred
async def test_times_without_network_are_no_interval(rig: Rig) -> None:
    """They do not fill the time in which they come."""
    await rig.exchange()
    for _ in range(6):
        await polls(rig, 10, 10, 10, 10, 10, 10, 60)
    rig.clock.advance(48)
    assert not await is_connected(rig)
