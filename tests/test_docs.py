"""The pages that are made from the code say what the code says."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PAGES = {
    "attributes.md": "attribute_manual.py",
    "command-life.md": "command_life.py",
    "commands.md": "command_manual.py",
    "configuration.md": "configuration_manual.py",
    "forwarder-kinds.md": "forwarder_manual.py",
    "problems.md": "problem_manual.py",
    "refusals.md": "refusal_manual.py",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_what_its_script_prints(page: str) -> None:
    """The manual is never behind the declarations it is made from."""
    script = ROOT / "scripts" / PAGES[page]
    made = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert (ROOT / "docs" / page).read_text() == made.stdout
