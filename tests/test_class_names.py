"""One class name, one class: a reader who looks for a name finds what it means."""

from __future__ import annotations

import ast
import pathlib
from collections import Counter

PACKAGE = pathlib.Path(__file__).parent.parent / "zkpush"


def class_names() -> Counter[str]:
    """How many classes have a name."""
    return Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )


def test_no_class_name_is_there_twice() -> None:
    """A second class of a name is refused."""
    names = class_names()
    assert names["Device"] == 1  # the search finds classes
    assert {name: count for name, count in names.items() if count > 1} == {}
