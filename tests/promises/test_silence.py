"""Silent and blocked terminals are named wherever a person looks first."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.device.silence import SILENT_AFTER
from zkpush.model import Problem
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
