"""A module is about one thing, and short enough to be read at one sitting."""

from __future__ import annotations

import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
MOST = {"zkpush": 400, "tests": 500}
"""Maximum number of lines of a module."""
LONGER = frozenset(
    {
        "tests/crypto/test_suite.py",
        "tests/forward/test_smtp.py",
        "tests/promises/test_collection.py",
        "tests/server/test_command_life.py",
        "tests/server/test_jobs.py",
    }
)
"""Modules of tests that are longer. Split one where it is changed much; add none."""


def longer(folder: str) -> set[str]:
    """The modules of a folder that have more lines than they may."""
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST[folder]
    }


@pytest.mark.parametrize("folder", MOST)
def test_no_module_is_too_long(folder: str) -> None:
    """Those that are known are listed, as long as they are."""
    assert longer(folder) == {path for path in LONGER if path.startswith(f"{folder}/")}
