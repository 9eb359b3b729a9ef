"""The pages that are made from the code say what the code says."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest

import zkpush
import zkpush.plugin

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


PRINTS = """
import contextlib, io, json, runpy, sys
printed = []
for script in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(script, run_name="__main__")
    printed.append(out.getvalue())
json.dump(printed, sys.stdout)
"""


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The pages that the scripts print, one after the other in one interpreter."""
    scripts = [ROOT / "scripts" / script for script in PAGES.values()]
    command = [sys.executable, "-c", PRINTS, *scripts]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(zip(PAGES, json.loads(ran.stdout), strict=True))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_what_its_script_prints(made: dict[str, str], page: str) -> None:
    """The manual is never behind the declarations it is made from."""
    assert (ROOT / "docs" / page).read_text() == made[page]


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


SINCE = re.compile(r"^\|(?:[^|\n]*\|)*? Stable since \|\n\|[-|]+\n((?:\|.*\n)+)", re.MULTILINE)
"""A table whose last column has versions of zkpush."""
WHOLE = re.compile(r"(?<![\d.])(0\.\d+)\.(?:\d+|x)(?![\d.])")
"""A version or a series of zkpush; those of protocols and other programs do not begin with 0."""


def versions(text: str) -> set[str]:
    """The versions of zkpush that a page names, without the third number."""
    cells = {
        row.split("|")[-2].strip() for rows in SINCE.findall(text) for row in rows.splitlines()
    }
    return {*WHOLE.findall(text), *(cell for cell in cells if cell[0].isdigit())}


def test_no_page_names_a_version_that_is_still_to_come() -> None:
    """A promise "since 0.3" says nothing to who has 0.2."""
    texts = [page.read_text() for page in LINKED] + [zkpush.plugin.__doc__ or ""]
    named = {tuple(map(int, one.split("."))) for text in texts for one in versions(text)}
    assert named
    assert max(named) <= tuple(map(int, zkpush.__version__.split(".")[:2]))


def test_versions_are_found_in_text_and_in_tables() -> None:
    """Addresses and versions of the protocol are none."""
    table = "| Module | Stable since |\n|---|---|\n| a | 0.5 |\n| b | not yet |\n"
    assert versions(f"In 0.4.x and 0.3.1, at 10.0.0.4, push 2.4.1, for 0.25 s.\n\n{table}") == {
        "0.3",
        "0.4",
        "0.5",
    }
