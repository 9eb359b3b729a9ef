"""Silent and blocked terminals are named wherever a person looks first."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from .test_diagnosis import ran
from .test_doctor import faults, working


async def told(rig: Rig, *words: str) -> str:
    """What `zkpush` prints, on one line."""
    return " ".join(" ".join((await ran(rig, *words))[1:]).split())


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
