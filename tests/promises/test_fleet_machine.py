"""The promise of areas, held against a model of its own: who must be on which terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from hypothesis import seed
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from twisted.internet import threads

from zkpush.handlers.areas import driftwatch, packing

from .fleet_bugs import BUGS
from .fleet_machine import SEED, SETTINGS, SIZE, Fleet, FleetMachine

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("no_cover")]


FEW = 20
"""Terminals that are enough for the bugs to show: eight in each area that distributes."""


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
    machine = seed(SEED)(type("FleetMachine", (FleetMachine,), {"fleet": fleet}))
    try:
        await threads.deferToThread(run_state_machine_as_test, machine, settings=SETTINGS)
    except Flaky:
        if fleet.fault is None:
            raise
    if fleet.fault is not None:
        raise fleet.fault


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
    with pytest.raises(AssertionError):
        await play(make_rig, monkeypatch, FEW)
