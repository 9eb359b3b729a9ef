"""Tests use what a class promises: no test reads, sets, replaces or imports a private name."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[1]
OWN = ("self", "cls")
PUBLIC = frozenset({"_mapping", "_fields", "_replace", "_asdict", "_exit"})
"""Public API of SQLAlchemy, of named tuples and of `os`, whose names could not be others."""
ALLOWED = {("tests/patterns.py", "_constants"), ("tests/patterns.py", "_parser")}
"""Of Python's parser of regular expressions, which has no public name; see there."""
PATCHES = frozenset({"setattr", "delattr", "getattr", "hasattr", "setitem", "object", "patch"})


def private_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The private names of others in a module, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            is_own = isinstance(node.value, ast.Name) and node.value.id in OWN
            names = [] if is_own else [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and _name_of(node.func) in PATCHES:
            texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
            names = [text.rpartition(".")[2] for text in texts if isinstance(text, str)]
        else:
            continue
        for name in names:
            if name.startswith("_") and not name.startswith("__") and name not in PUBLIC:
                yield node.lineno, name


def _name_of(function: ast.expr) -> str:
    return str(getattr(function, "attr", getattr(function, "id", "")))


def test_no_test_uses_a_private_name() -> None:
    """What a test needs to see is public, with words that say what it means."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for folder in ("tests", "examples")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, name in private_names(ast.parse(path.read_text()))
        if (str(path.relative_to(ROOT)), name) not in ALLOWED
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "store._database.close()",
        "registry._seen = {}",
        "from zkpush.cli.client import _Body",
        "monkeypatch.setattr(feed, '_message', encode)",
        "monkeypatch.setattr('zkpush.persist.backup._sync', full)",
    ],
)
def test_each_way_to_a_private_name_is_found(text: str) -> None:
    """Reading, setting, importing, and replacing by name."""
    assert [*private_names(ast.parse(text))]


@pytest.mark.parametrize("text", ["self._own = 1", "row._mapping", "monkeypatch.setenv('_X', '1')"])
def test_what_is_public_or_its_own_is_none(text: str) -> None:
    """Attributes of the test's own objects, and public API with an underscore."""
    assert [*private_names(ast.parse(text))] == []
