"""The promises of a command's life, held against a model, and the bugs that this finds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from hypothesis import seed
from hypothesis.stateful import run_state_machine_as_test
from twisted.internet import threads

from .command_bugs import BUGS, Plant
from .command_machine import SEEDS, SETTINGS, CommandMachine, Nodes
from .command_model import Broken

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("no_cover")]


async def run_machine(make_rig: Any, folder: Path, seeds: Iterable[int]) -> None:
    """Run the examples of these seeds on two nodes."""
    nodes = Nodes(make_rig, f"sqlite:///{folder / 'machine.sqlite'}")
    await nodes.start()
    machine = type("CommandMachine", (CommandMachine,), {"nodes": nodes})

    def run_thd() -> None:
        for number in seeds:
            run_state_machine_as_test(seed(number)(machine), settings=SETTINGS)

    await threads.deferToThread(run_thd)


@pytest_twisted.ensureDeferred
async def test_commands_live_by_their_table(make_rig: Any, tmp_path: Path) -> None:
    """Whatever is lost, nothing unrepeatable is executed twice, no answer is unrecorded, and
    nothing is sent after its deadline."""
    await run_machine(make_rig, tmp_path, SEEDS)


@pytest.mark.parametrize("plant", BUGS, ids=lambda plant: plant.__name__)
@pytest_twisted.ensureDeferred
async def test_the_machine_finds_planted_bugs(
    make_rig: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plant: Plant,
) -> None:
    """A server with a bug breaks a promise within the examples of every run."""
    promise, first = BUGS[plant]
    plant(monkeypatch)
    with pytest.raises(Broken) as caught:
        await run_machine(make_rig, tmp_path, dict.fromkeys([first, *SEEDS]))
    assert caught.value.promise is promise
