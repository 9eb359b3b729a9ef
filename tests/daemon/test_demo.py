"""The demonstration of the README."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

DEMO = pathlib.Path(__file__).parents[2] / "scripts" / "demo.py"


@pytest.mark.long
def test_the_demonstration_runs_to_its_end() -> None:
    """Every model of terminal takes part, and what it cannot do is in the table, too."""
    run = subprocess.run([sys.executable, DEMO, "10"], capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    for title in ("What was stored", "What the terminals were asked"):
        assert title in run.stdout
    for number in range(1, 6):
        assert f"SIM0000000{number}" in run.stdout.split("What was stored")[1]
    assert "refused" in run.stdout
