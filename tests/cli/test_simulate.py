"""`zkpush simulate`."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from zkpush.cli.simulate import simulation
from zkpush.simulator import fleet
from zkpush.simulator.fleet import FleetPlan, FleetResult

from .program import Daemon, cells, failed, misused, said, zkpush


def test_simulate(daemon: Daemon) -> None:
    """Terminals in software push records to a server, and what they did is counted."""
    for number in (1, 2):
        daemon.api("PUT", f"devices/SIM0070000{number}", {"state": "approved"})
    plan = ("--devices", "2", "--users", "5", "--rate", "50", "--seed", "7", "--punches", "6")
    run = zkpush("simulate", "--server", daemon.terminals, *plan)
    counted = dict(cells(said(run)))
    assert (counted["punches"], counted["acknowledged"], counted["failures"]) == ("6", "6", "0")
    listing = said(daemon.zkpush("attendance", "list", "--csv"))
    assert listing.count(",SIM007") == 6


def test_refused(daemon: Daemon) -> None:
    """A server that does not take the terminals makes it fail; each reason is said once."""
    run = zkpush("simulate", "--server", daemon.terminals, "--seed", "8", "--duration", "1.5")
    assert dict(cells(said(run, 1)))["punches"] == "0"
    *reasons, verdict = run.stderr.splitlines()
    assert len(reasons) == 1
    assert "waits for approval" in reasons[0]
    assert verdict.endswith(" requests failed.")


def test_not_acknowledged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that the server does not acknowledge make it fail."""

    async def run_fleet(*args: object) -> FleetResult:
        return FleetResult(punches=12, acknowledged=9, polls=3, commands=1, failures=0)

    monkeypatch.setattr(fleet, "run_fleet", run_fleet)
    running = Deferred.fromCoroutine(simulation(Clock(), FleetPlan(server="http://server")))
    failures: list[Failure] = []
    running.addErrback(failures.append)
    assert failures[0].value.message == "3 of 12 records were not acknowledged."
    assert capsys.readouterr().out.splitlines() == [
        "punches       12",
        "acknowledged  9",
        "polls         3",
        "commands      1",
        "failures      0",
    ]


def test_no_server() -> None:
    """What is no URL is a mistake of usage."""
    assert failed(misused("simulate", "--server", "localhost"), 2) == (
        "Error: --server begins with http:// or https://."
    )
