"""What plugins import: `zkpush.plugin`, as its page of the manual lists it."""

from __future__ import annotations

import ast
import importlib
import pathlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

import zkpush.plugin

ROOT = pathlib.Path(__file__).parent.parent
PAGE = ROOT / "docs" / "plugins.md"
FOR_ZKPUSH = ROOT / "docs" / "developing.md"
"""A page for developers of zkpush itself."""
MODULES = sorted(module.name for module in pkgutil.iter_modules(zkpush.plugin.__path__))
FOR_PLUGINS = ("zkpush.plugin", "zkpush.testing")
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
ROW = re.compile(r"^\| `zkpush\.plugin\.([a-z]+)` \| (`.*`) \| ", re.MULTILINE)


def sources() -> Iterator[tuple[str, str]]:
    """The Python text of the examples and of the manual, by where it is from."""
    for path in sorted((ROOT / "examples").rglob("*.py")):
        if "build" not in path.parts:
            yield str(path.relative_to(ROOT)), path.read_text()
    for path in sorted({*(ROOT / "docs").glob("*.md")} - {FOR_ZKPUSH}):
        for number, block in enumerate(BLOCK.findall(path.read_text())):
            yield f"{path.name}, block {number}", block


SOURCES = dict(sources())


def imported(text: str) -> set[str]:
    """The modules that a text imports."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return found


def test_the_page_lists_every_name() -> None:
    """A name is promised where the manual lists it, and nothing else is exported."""
    listed = {
        name: set(re.findall(r"`(\w+)`", names)) for name, names in ROW.findall(PAGE.read_text())
    }
    exported = {
        name: set(importlib.import_module(f"zkpush.plugin.{name}").__all__) for name in MODULES
    }
    assert listed == exported
    assert MODULES == [
        "api",
        "capability",
        "cipher",
        "cli",
        "family",
        "forwarder",
        "handler",
        "pages",
        "policy",
        "services",
        "store",
        "tables",
        "verifier",
    ]


@pytest.mark.parametrize("where", SOURCES)
def test_examples_use_nothing_else(where: str) -> None:
    """Authors copy the examples; so they import what stays stable."""
    ours = {name for name in imported(SOURCES[where]) if name.partition(".")[0] == "zkpush"}
    assert {name for name in ours if not name.startswith(FOR_PLUGINS)} == set()


def test_the_examples_are_looked_at() -> None:
    """The search finds the package of visitors and the blocks of the manual."""
    ours = {name for text in SOURCES.values() for name in imported(text) if "zkpush." in name}
    assert {"zkpush.plugin.handler", "zkpush.plugin.policy", "zkpush.plugin.cipher"} <= ours


def test_declarations_load_no_server() -> None:
    """A package can declare its tables where no database and no reactor is wanted."""
    code = (
        "import sys, zkpush.plugin.tables\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('zkpush')))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packages, ours = (line.split() for line in ran.stdout.splitlines())
    assert {"twisted", "sqlalchemy", "alembic"}.isdisjoint(packages)
    assert "zkpush.protocol.fields" in ours
    assert {"zkpush.model", "zkpush.interfaces", "zkpush.persist"}.isdisjoint(ours)
