"""The example of a plugin has tests of its own, as a package elsewhere has; so has the manual."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.long

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "visitors"


TESTS = re.compile(r"```python\n# conftest.py: (.*)\n((?:.*\n)*?)```")
"""The tests in the manual, and the line before them that is for `conftest.py`."""


def run(folder: pathlib.Path, *paths: pathlib.Path) -> None:
    """Run the tests in a folder, with these folders on the path; they pass."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [folder, *paths]))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout


@pytest.mark.parametrize("installed", [True, False], ids=["installed", "not installed"])
def test_the_tests_of_the_example_pass(tmp_path: pathlib.Path, installed: bool) -> None:
    """With `zkpush.testing` alone, whether zkpush finds the plugin as installed or not."""
    for folder in ("tests", "visitors", *(["twisted"] if installed else [])):
        shutil.copytree(EXAMPLE / folder, tmp_path / folder)
    run(tmp_path)


def test_the_tests_of_the_manual_pass(tmp_path: pathlib.Path) -> None:
    """Those that docs/plugins.md shows, of the handler of the example."""
    ((fixtures, tests),) = TESTS.findall((ROOT / "docs" / "plugins.md").read_text())
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(f"{fixtures}\n")
    (tmp_path / "tests" / "test_manual.py").write_text(tests)
    run(tmp_path, EXAMPLE)
