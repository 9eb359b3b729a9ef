"""Services with the role of the whole database: one process runs them, and another takes over."""

from __future__ import annotations

import pathlib
from collections.abc import Awaitable, Callable
from unittest import mock

import pytest
import pytest_twisted

from zkpush.capability import Capability
from zkpush.interfaces import StoreError
from zkpush.manage.leasing import LEASE_SECONDS, RENEW_SECONDS

from ..rig import Rig

PART = """
from zkpush.plugin.services import Contribution, PeriodicService, Role

class RunCounter(PeriodicService):
    runs = 0

    def __init__(self, services):
        super().__init__(services.clock)
        self.every(5, self.run, "Runs are not counted", now=True)

    async def run(self):
        self.runs += 1

def contribute(services):
    return Contribution(services=[(Role.DATABASE, RunCounter(services)) for _ in range(2)])
"""


@pytest.fixture
def counting(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Capability:
    """A capability with two services that count their runs."""
    monkeypatch.syspath_prepend(tmp_path)
    package = f"counting_{tmp_path.name}".replace("-", "_")
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / package / "services.py").write_text(PART)
    return Capability("counting", package, "Counts runs")


def runs(node: Rig) -> list[int]:
    """The number of runs of each service of a node."""
    return [job.runs for job in node.daemon.jobs if type(job).__name__ == "RunCounter"]


async def pass_time(nodes: list[Rig], seconds: float) -> None:
    """Let time pass on some nodes, in steps in which their units of work end."""
    for _ in range(int(seconds)):
        for node in nodes:
            node.clock.advance(1)
        for node in nodes:
            await node.store.write(lambda tx: None)


async def start(make_rig: Callable[..., Awaitable[Rig]], **settings: object) -> list[Rig]:
    """Three nodes with their background jobs, of which the first one starts first."""
    nodes = [await make_rig(**settings) for _ in range(3)]
    for node in nodes:
        node.start_jobs()
        await node.store.write(lambda tx: None)
    return nodes


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_one_node_runs_the_services_of_a_database(make_rig, database, counting) -> None:
    """The first one that starts runs all; once it has stopped, one of the others does."""
    nodes = await start(make_rig, database=database, plugins=[counting])
    first, *others = nodes
    await pass_time(nodes, 65)
    assert runs(first) == [14, 14]
    assert [runs(node) for node in others] == [[0, 0], [0, 0]]
    await first.stop_jobs()
    await pass_time(others, RENEW_SECONDS + 5)
    assert sorted(map(any, map(runs, others))) == [False, True]


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_another_node_takes_over_from_one_that_stands_still(
    make_rig, database, counting
) -> None:
    """Its lease ends after a minute; when it goes on, it runs nothing."""
    nodes = await start(make_rig, database=database, plugins=[counting])
    first, *others = nodes
    await pass_time(others, LEASE_SECONDS - 5)
    assert [runs(node) for node in others] == [[0, 0], [0, 0]]
    await pass_time(others, RENEW_SECONDS + 5)
    assert sorted(map(any, map(runs, others))) == [False, True]
    before = runs(first)
    first.clock.advance(LEASE_SECONDS + RENEW_SECONDS)
    await pass_time(nodes, 60)
    assert runs(first) == before


@pytest_twisted.ensureDeferred
async def test_a_database_that_fails_stops_no_service_for_long(make_rig, counting) -> None:
    """A service runs again at its next turn after the database is back."""
    (node, *_) = await start(make_rig, plugins=[counting])
    write = node.store.write
    failing = mock.patch.object(node.store, "write", side_effect=StoreError("gone"))
    with failing:
        node.clock.advance(LEASE_SECONDS + 1)
        before = runs(node)
        node.clock.advance(5)
        assert runs(node) == before
    assert node.store.write == write
    await pass_time([node], 5)
    assert runs(node) == [count + 1 for count in before]
