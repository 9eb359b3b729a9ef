"""The rules for Prometheus in deploy/: they name metrics and problems that there are."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest
import pytest_twisted
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from zkpush.problems import ProblemCode

from ..rig import Rig

RULES = pathlib.Path(__file__).parents[2] / "deploy" / "prometheus-rules.yml"
_METRIC = re.compile(r"\bzkpush_[a-z_]+")
_CODES = re.compile(r'code(=~?)"([^"]*)"')


def expressions() -> list[str]:
    """The expressions of all rules, one a line."""
    return re.findall(r"^ +expr: (.+)$", RULES.read_text(), re.MULTILINE)


async def exposed(rig: Rig) -> dict[str, list]:
    """The samples of all metrics, by name."""
    text = (await rig.api("GET", "/metrics", headers=(), prefix="")).body.decode()
    found: dict[str, list] = {}
    for family in text_string_to_metric_families(text):
        found[family.name] = []
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


@pytest_twisted.ensureDeferred
async def test_every_metric_in_the_rules_exists(rig: Rig) -> None:
    """A rule on a metric that nobody exposes would never fire."""
    assert (await rig.api("GET", "/health", headers=(), prefix="")).status == 200
    metrics = await exposed(rig)
    named = {name for text in expressions() for name in _METRIC.findall(text)}
    assert len(expressions()) == RULES.read_text().count("- alert: ") > 10
    assert named <= metrics.keys()


def test_every_problem_in_the_rules_exists_and_most_are_named() -> None:
    """Each text matches a declared code as Prometheus matches it: whole."""
    matched = set()
    for text in expressions():
        for operator, pattern in _CODES.findall(text):
            codes = {
                code
                for code in ProblemCode
                for one in ([pattern] if operator == "=" else pattern.split("|"))
                if re.fullmatch(one if operator == "=~" else re.escape(one), code)
            }
            parts = [pattern] if operator == "=" else pattern.split("|")
            assert len(codes) >= len(parts), pattern
            matched |= codes
    assert {
        ProblemCode.SILENT,
        ProblemCode.CLOCK_WRONG,
        ProblemCode.NO_ZONE,
        ProblemCode.REJECTS,
        ProblemCode.RECORDS_MISSING,
        ProblemCode.PLUGIN_FAILING,
        ProblemCode.STORAGE_FULL,
        ProblemCode.COMMANDS_GIVEN_UP,
        ProblemCode.ACCESS_CONTROL,
        ProblemCode.UNKNOWN_REQUESTS,
        ProblemCode.SPACE_LOW,
    } <= matched


def test_prometheus_takes_the_rules() -> None:
    """promtool, of Debian's package prometheus, checks their syntax."""
    promtool = shutil.which("promtool")
    if promtool is None:
        why = "promtool is not installed (apt-get install prometheus)"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    done = subprocess.run(
        [promtool, "check", "rules", RULES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest_twisted.ensureDeferred
async def test_figures_of_terminals_commands_and_attendance(rig: Rig) -> None:
    """Online, pending, open and given-up commands, and how attendance grows."""
    for sn in ("T1", "T2", "T3"):
        await rig.exchange(sn)
    await rig.api("PATCH", "/devices/T3", {"state": "blocked"})
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"7\t2026-01-05 08:00:00\t0\t1\n")
    for _ in range(2):
        await rig.api("POST", "/devices/T1/commands", {"command": "INFO", "expires_in": 30})
    await rig.api("POST", "/devices/T2/commands", {"command": "INFO"})
    rig.clock.advance(31)
    await rig.daemon.queue.end_overdue()
    await rig.registry.stopService()  # which writes when terminals were seen
    rig.registry.startService()
    metrics = await exposed(rig)

    def values(name: str, label: str) -> dict[str, float]:
        return {sample.labels[label]: sample.value for sample in metrics[name]}

    assert values("zkpush_terminals_by_state", "state") == {"approved": 2, "blocked": 1}
    assert values("zkpush_commands_open", "state") == {"queued": 1}
    assert values("zkpush_commands_ended_last_day", "state") == {"expired": 2}
    assert [one.value for one in metrics["zkpush_attendance_last_id"]] == [1]
    assert [one.value for one in metrics["zkpush_terminals_online"]] == [2]
    rig.clock.advance(3600)
    metrics = await exposed(rig)
    assert [one.value for one in metrics["zkpush_terminals_online"]] == [0]
