"""The folders of nouns: what each may import, and what comes along with its parts."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys

import grimp
import pytest

from zkpush.capability import ICapability, is_own
from zkpush.discovery import sound_plugins

ROOT = "zkpush.handlers"
FOLDER = pathlib.Path(__file__).parent.parent / "zkpush" / "handlers"
NOUNS = sorted(path.parent.name for path in FOLDER.glob("*/__init__.py"))
LENT = {"tables", "model", "store"}
"""The parts of a noun that other nouns may import."""
LIGHT = [
    f"{ROOT}.{path.parent.name}.{path.stem}"
    for part in ("tables", "cli", "simulate")
    for path in sorted(FOLDER.glob(f"*/{part}.py"))
]
HEAVY = (
    "sqlalchemy",
    "alembic",
    "treq",
    "twisted.web",
    "zkpush.persist",
    "zkpush.device",
    "zkpush.manage",
)
API = f"{ROOT}.terminals.api"
LOADS = f"""
import importlib, sys
seen = set()
for module in {[*LIGHT, API]!r}:
    importlib.import_module(module)
    heavy = {{name for name in sys.modules if name.startswith({HEAVY!r})}}
    print(module, *sorted(heavy - seen))
    seen |= heavy
"""
"""Prints a line for each of these parts: its name, and the modules of `HEAVY` that it loads.

One interpreter does for all: nothing heavy is there before the first part that loads it.
"""
OURS = {one.name: one for one in sound_plugins(ICapability) if is_own(one)}


def imports() -> set[tuple[str, str]]:
    """All imports of nouns from nouns."""
    graph = grimp.build_graph("zkpush", cache_dir=None)
    nouns = [f"{ROOT}.{noun}" for noun in NOUNS]
    found = set()
    for noun in nouns:
        for module in {noun, *graph.find_descendants(noun)}:
            for imported in graph.find_modules_directly_imported_by(module):
                if imported.startswith(f"{ROOT}.") and not _is_in(imported, noun):
                    found.add((module, imported))
    return found


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_each_folder_of_a_noun_is_a_capability() -> None:
    """A noun that is not declared would never be loaded."""
    assert {one.package for one in OURS.values()} == {f"{ROOT}.{noun}" for noun in NOUNS}


@pytest.mark.parametrize("noun", NOUNS)
def test_the_package_of_a_noun_is_a_docstring(noun: str) -> None:
    """An import there would load every part of the noun with each of them."""
    tree = ast.parse((FOLDER / noun / "__init__.py").read_text())
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_a_noun_uses_only_tables_model_and_store_of_another() -> None:
    """What a noun does stays its own."""
    wrong = {pair for pair in imports() if pair[1].split(".")[3:4] not in [[part] for part in LENT]}
    assert wrong == set()


def test_a_noun_requires_what_it_imports() -> None:
    """The requirements are the imports, no more and no fewer."""
    used: dict[str, set[str]] = {noun: set() for noun in NOUNS}
    for module, imported in imports():
        used[module.split(".")[2]].add(imported.split(".")[2])
    assert used == {name: set(one.requires) for name, one in OURS.items()}


@pytest.fixture(scope="module")
def came_with() -> dict[str, list[str]]:
    """What of `HEAVY` each light part loads."""
    made = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True)
    lines = [line.split() for line in made.stdout.splitlines()]
    return {module: loaded for module, *loaded in lines}


@pytest.mark.parametrize("module", LIGHT)
def test_a_light_part_loads_no_server(came_with: dict[str, list[str]], module: str) -> None:
    """Tables, words and simulated behaviour load neither a database nor twisted.web."""
    assert came_with[module] == []


def test_a_part_that_loads_a_server_is_seen(came_with: dict[str, list[str]]) -> None:
    """The check is no empty one: an `api` loads twisted.web."""
    assert "twisted.web" in came_with[API]
