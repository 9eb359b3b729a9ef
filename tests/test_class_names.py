"""One class name, one class: a reader who looks for a name finds what it means."""

from __future__ import annotations

import ast
import pathlib
from collections import Counter

PACKAGE = pathlib.Path(__file__).parent.parent / "zkpush"
STILL_TWICE = {
    "Answer": 2,
    "Api": 2,
    "Files": 2,
    "Form": 2,
    "Keys": 2,
    "Limits": 2,
    "Listener": 2,
    "Page": 2,
    "Part": 2,
    "Privacy": 2,
    "Proxies": 2,
    "Upload": 2,
}
"""Names that have several classes yet. This may only shrink."""


def class_names() -> Counter[str]:
    """How many classes have a name."""
    return Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )


def test_no_class_name_is_there_twice() -> None:
    """A second class of a name is refused, and a name that is unique again leaves the list."""
    names = class_names()
    assert names["Device"] == 1  # the search finds classes
    assert {name: count for name, count in names.items() if count > 1} == STILL_TWICE
