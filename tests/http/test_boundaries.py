"""The library stands alone: what it imports, and what others use of it."""

from __future__ import annotations

import ast
import pathlib
import sys
from collections.abc import Iterator

import pytest

import zkpush.http

LIBRARY = pathlib.Path(zkpush.http.__file__).parent
ROOT = LIBRARY.parent
ALLOWED = {"attrs", "httptools", "msgspec", "twisted", "zope"}


def imports(path: pathlib.Path) -> Iterator[tuple[int, str, str]]:
    """Level, module and name of each import in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, node.module or "", alias.name) for alias in node.names)


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.py")), ids=lambda path: path.name)
def test_the_library_imports_nothing_else_of_zkpush(path: pathlib.Path) -> None:
    """Only itself, the standard library, and the packages that it is built on."""
    for level, module, _ in imports(path):
        top = module.partition(".")[0]
        assert level <= 1, f"{path.name} imports {'.' * level}{module}"
        assert level == 1 or top in ALLOWED or top in sys.stdlib_module_names, module


def is_private(name: str) -> bool:
    """Whether a name is private by its underscore."""
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.py")), ids=lambda path: path.name)
def test_the_library_imports_no_private_module(path: pathlib.Path) -> None:
    """Neither a module nor a name that begins with an underscore."""
    for _, module, name in imports(path):
        assert not any(map(is_private, [*module.split("."), name])), f"{module} {name}"


def test_nobody_imports_private_names_of_the_library() -> None:
    """What begins with an underscore belongs to its module."""
    found = 0
    for path in sorted(ROOT.rglob("*.py")):
        for _, module, name in imports(path):
            if path.parent == LIBRARY or "http" in module.split("."):
                found += 1
                assert not is_private(name), f"{path}: {module}.{name}"
    assert found > 20
