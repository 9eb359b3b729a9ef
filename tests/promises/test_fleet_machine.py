"""The promise of areas, held against a model of its own: who must be on which of 50 terminals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import run_state_machine_as_test
from twisted.internet import threads

from zkpush.handlers.areas import driftwatch, packing

from .fleet_bugs import BUGS
from .fleet_machine import SETTINGS, SIZE, Fleet, FleetMachine

pytestmark = pytest.mark.usefixtures("no_cover")


async def play(make_rig: Any, patch: pytest.MonkeyPatch) -> None:
    """Run the machine on a daemon of its own."""
    patch.setattr(driftwatch, "LOOKS_AT_ONCE", SIZE)
    patch.setattr(packing, "LEAST_PEOPLE", 3)
    rig = await make_rig(
        limits={"unknown_per_minute": 10_000, "requests_per_minute": 100_000},
        commands={"attempts": 50},
    )
    fleet = Fleet(rig)
    await fleet.begin()
    machine = type("FleetMachine", (FleetMachine,), {"fleet": fleet})
    await threads.deferToThread(run_state_machine_as_test, machine, settings=SETTINGS)


@pytest_twisted.ensureDeferred
async def test_everybody_is_where_they_must_be(
    make_rig: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any joins, leaves, enrolments, deletions, losses, resets and conflicts."""
    await play(make_rig, monkeypatch)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__.lstrip("_"))
@pytest_twisted.ensureDeferred
async def test_planted_bugs_are_found(
    make_rig: Any, monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """With the examples that find nothing in the code as it is."""
    bug(monkeypatch)
    # The fleet lives on, so Hypothesis may not find a fault a second time.
    with pytest.raises((AssertionError, FlakyFailure)):
        await play(make_rig, monkeypatch)
