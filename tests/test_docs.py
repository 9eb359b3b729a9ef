"""The pages that are made from the code say what the code says."""

from __future__ import annotations

import pathlib
import re
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


LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
LINKED = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors(text: str) -> set[str]:
    """The places in a page that a link can lead to."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: pathlib.Path) -> None:
    """Each names a file that is there, and a title in it."""
    wrong = []
    for name, anchor in LINK.findall(page.read_text()):
        if "://" in name:
            continue
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            wrong.append(f"{name}#{anchor}")
    assert wrong == []
