"""The promise of areas, held against a model of its own: who must be on which terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import run_state_machine_as_test
from twisted.internet import threads

from zkpush.handlers.areas import driftwatch, packing

from .fleet_bugs import BUGS, believes_recorded
from .fleet_machine import SETTINGS, SIZE, Fleet, FleetMachine

pytestmark = pytest.mark.usefixtures("no_cover")


FEW = 20
"""Terminals that are enough for most bugs to show: eight in each area that distributes."""


async def play(make_rig: Any, patch: pytest.MonkeyPatch, size: int) -> None:
    """Run the machine on a daemon of its own, with so many terminals."""
    patch.setattr(driftwatch, "LOOKS_AT_ONCE", SIZE)
    patch.setattr(packing, "LEAST_PEOPLE", 3)
    rig = await make_rig(
        limits={"unknown_per_minute": 10_000, "requests_per_minute": 100_000},
        commands={"attempts": 50},
    )
    fleet = Fleet(rig, size)
    await fleet.begin()
    machine = type("FleetMachine", (FleetMachine,), {"fleet": fleet})
    await threads.deferToThread(run_state_machine_as_test, machine, settings=SETTINGS)


@pytest.mark.parametrize("size", [FEW, SIZE])
@pytest_twisted.ensureDeferred
async def test_everybody_is_where_they_must_be(
    make_rig: Any, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """After any joins, leaves, enrolments, deletions, losses, resets and conflicts."""
    await play(make_rig, monkeypatch, size)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__.lstrip("_"))
@pytest_twisted.ensureDeferred
async def test_planted_bugs_are_found(
    make_rig: Any, monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """With the examples that find nothing in the code as it is."""
    bug(monkeypatch)
    # The fleet lives on, so Hypothesis may not find a fault a second time.
    with pytest.raises((AssertionError, FlakyFailure)):
        await play(make_rig, monkeypatch, SIZE if bug is believes_recorded else FEW)
