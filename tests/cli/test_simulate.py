"""`zkpush simulate`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Coroutine

import pytest
from click.testing import CliRunner
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from zkpush.cli import main
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


@pytest.mark.long
def test_encrypted(daemon: Daemon) -> None:
    """Terminals in software encrypt, a daemon that requires it takes what they send."""
    sn = "SIM01900001"
    daemon.api("PUT", f"devices/{sn}", {"state": "approved", "encryption": "require"})
    plan = ("--rate", "50", "--seed", "19", "--punches", "6")
    refused = zkpush("simulate", "--server", daemon.terminals, *plan, "--duration", "1")
    assert dict(cells(said(refused)))["acknowledged"] == "0"
    run = zkpush("simulate", "--server", daemon.terminals, *plan, "--encrypt")
    assert dict(cells(said(run)))["acknowledged"] == "6"
    assert daemon.api("GET", f"devices/{sn}")["session"] == "encrypted"


@pytest.mark.long
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


def test_everything(daemon: Daemon) -> None:
    """With --everything each kind of record is counted, too."""
    for number in range(1, 5):
        daemon.api("PUT", f"devices/SIM0090000{number}", {"state": "approved"})
    plan = ("--devices", "4", "--users", "3", "--rate", "50", "--seed", "9", "--punches", "4")
    run = zkpush("simulate", "--server", daemon.terminals, "--everything", *plan)
    counted = dict(cells(said(run)))
    assert (counted["punches"], counted["acknowledged"], counted["failures"]) == ("8", "8", "0")
    for kind in ("USER", "FP", "FACE", "FVEIN", "BIODATA", "IDCARD", "ERRORLOG", "packets"):
        assert int(counted[kind]) >= 1


def test_other_records_not_acknowledged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other records that the server does not acknowledge make it fail, too."""

    async def run_fleet(*args: object) -> FleetResult:
        return FleetResult(punches=2, acknowledged=2, others={"USER": 5, "packets": 1}, waiting=3)

    monkeypatch.setattr(fleet, "run_fleet", run_fleet)
    running = Deferred.fromCoroutine(simulation(Clock(), FleetPlan(server="http://server")))
    failures: list[Failure] = []
    running.addErrback(failures.append)
    assert failures[0].value.message == "3 other records were not acknowledged."
    assert capsys.readouterr().out.splitlines()[-2:] == ["USER          5", "packets       1"]


@pytest.mark.parametrize(
    ("options", "models"),
    [
        ((), ("att",)),
        (("--everything",), ("att", "pid", "classic", "old")),
        (("--everything", "--models", "pid, old"), ("pid", "old")),
    ],
)
def test_models(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], models: tuple[str, ...]
) -> None:
    """Terminals are of the models that are named: by default of one, with --everything of all."""
    plans: list[FleetPlan] = []

    async def run_fleet(reactor: object, plan: FleetPlan, *others: object) -> FleetResult:
        plans.append(plan)
        return FleetResult()

    monkeypatch.setattr(fleet, "run_fleet", run_fleet)

    def run(work: Callable[[object], Coroutine[object, object, None]]) -> None:
        Deferred.fromCoroutine(work(Clock()))

    monkeypatch.setattr(importlib.import_module("zkpush.cli.simulate"), "run", run)
    result = CliRunner().invoke(main, ["simulate", "--server", "http://server", *options])
    assert result.exit_code == 0, result.output
    assert plans[0].models == models


def test_faults(daemon: Daemon) -> None:
    """What goes wrong on purpose does not make it fail."""
    daemon.api("PUT", "devices/SIM00600001", {"state": "approved"})
    faults = ("--faults", "lose-answers=0.5, lose-polls=1,refuse=-1005:0.5")
    plan = ("--seed", "6", "--rate", "50", "--punches", "2", *faults)
    counted = dict(cells(said(zkpush("simulate", "--server", daemon.terminals, *plan))))
    assert (counted["acknowledged"], counted["commands"], counted["failures"]) == ("2", "0", "0")


def test_a_port_that_is_not_for_terminals(daemon: Daemon) -> None:
    """The simulation ends at once, and names the port; a path after it is a mistake as well."""
    plan = ("--punches", "3")
    message = failed(zkpush("simulate", "--server", daemon.url, *plan))
    assert message.startswith(f"Error: {daemon.url} is the API of a zkpush daemon, ")
    port = daemon.terminals.rpartition(":")[2]
    assert message.endswith(f"Terminals connect to port {port} (http://).")
    message = failed(zkpush("simulate", "--server", f"{daemon.terminals}/zk", *plan))
    assert "404 'There is nothing under this path.'. --server is the scheme, the address" in message


def test_no_fault() -> None:
    """What is no fault is a mistake of usage, and the message names those there are."""
    run = misused("simulate", "--server", "http://server", "--faults", "fire=1")
    message = failed(run, 2)
    assert (
        "'fire=1' is not a fault; faults are double-answers, hide-punches, lose-answers" in message
    )


def test_no_model() -> None:
    """What is no model is a mistake of usage, and the message names those there are."""
    run = misused("simulate", "--server", "http://server", "--models", "att,abc")
    assert "'abc' is not a model; models are att, pid, classic, old." in failed(run, 2)


def test_no_server() -> None:
    """What is no URL is a mistake of usage."""
    assert failed(misused("simulate", "--server", "localhost"), 2) == (
        "Error: --server must begin with http:// or https://."
    )
