"""The promise of areas, held against a model of its own: who must be on which terminal.

`test_fleet_machine` does that with 50 terminals and more bugs; here are those whose effects the
comparison of counts repairs there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.areas import reconciler
from zkpush.handlers.areas.places import PlaceStore
from zkpush.handlers.people.survey import PersonSurvey

from .area_machine import AreaMachine, play

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("no_cover")]
SEED, EXAMPLES, STEPS = 1, 7, 12
"""Examples that find both planted bugs, and nothing in the code as it is."""


@pytest_twisted.ensureDeferred
async def test_everybody_is_where_they_must_be(make_rig: Any) -> None:
    """After any joins, leaves, enrolments, deletions, lost answers, resets and conflicts."""
    await play(make_rig, AreaMachine, SEED, EXAMPLES, STEPS)


def _forgetful(patch: pytest.MonkeyPatch) -> None:
    """A reset is not noticed."""
    for name in ("forget_terminal", "emptied_by_counts"):
        patch.setattr(reconciler, name, lambda *args: None)


def _stays_with_members(patch: pytest.MonkeyPatch) -> None:
    """A terminal that changes its area keeps who was there."""
    patch.setattr(PersonSurvey, "held_by", lambda *args: [])
    patch.setattr(PlaceStore, "pins_at", lambda *args: [])


BUGS: list[Callable[[pytest.MonkeyPatch], None]] = [
    _forgetful,
    _stays_with_members,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__.lstrip("_"))
@pytest_twisted.ensureDeferred
async def test_planted_bugs_are_found(
    make_rig: Any, monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """With the examples that find nothing in the code as it is."""
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        await play(make_rig, AreaMachine, SEED, EXAMPLES, STEPS)
