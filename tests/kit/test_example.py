"""The example of a plugin has tests of its own, as a package elsewhere has."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.long

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "visitors"


@pytest.mark.parametrize("installed", [True, False], ids=["installed", "not installed"])
def test_the_tests_of_the_example_pass(tmp_path: pathlib.Path, installed: bool) -> None:
    """With `zkpush.testing` alone, whether zkpush finds the plugin as installed or not."""
    for folder in ("tests", "visitors", *(["twisted"] if installed else [])):
        shutil.copytree(EXAMPLE / folder, tmp_path / folder)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout
