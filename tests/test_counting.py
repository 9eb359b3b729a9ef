"""Numbers in messages agree with their nouns."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

import zkpush
from zkpush.counting import agreeing, counted, counted_people

SOURCES = pathlib.Path(zkpush.__file__).parent
NOUNS = (
    "commands|days|entries|events|faults|files|items|letters|lines|parts|people|persons|photos|"
    "records|rejects|requests|rows|templates|terminals|tokens|users|values"
)
COUNTED = re.compile(rf" (?:(?:more|other|pending|dead|attendance|damaged) )?(?:{NOUNS})\b")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (counted(1, "terminal"), "1 terminal"),
        (counted(0, "terminal"), "0 terminals"),
        (counted(2, "reject contains", "rejects contain"), "2 rejects contain"),
        (counted_people(1), "1 person"),
        (counted_people(2), "2 people"),
        (f"1 of 2 {agreeing(1, 'is', 'are')}", "1 of 2 is"),
    ],
)
def test_a_number_agrees_with_its_noun(shown: str, expected: str) -> None:
    """One is singular; none and several are plural."""
    assert shown == expected


NO_NUMBERS = {
    "' and '.join(path.others)",
    "methods",
    "number",
    "plan.seed",
    "self._limits.members",
    "table.name",
}
"""Values that stand before a plural, and count nothing, or are never 1."""


def strings(node: ast.AST) -> Iterator[ast.JoinedStr]:
    """The formatted strings in a part of a program, except those that it chooses between."""
    if isinstance(node, ast.JoinedStr):
        yield node
    if not isinstance(node, ast.IfExp):
        for part in ast.iter_child_nodes(node):
            yield from strings(part)


def uncounted(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Numbers that stand before a plural, whatever they are; bounds in capitals are never 1."""
    for node in strings(tree):
        for value, text in zip(node.values, node.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant):
                name = ast.unparse(value.value)
                is_number = name not in NO_NUMBERS and not name.split(".")[-1].isupper()
                if is_number and COUNTED.match(str(text.value)):
                    yield node.lineno, f"{{{name}}}{str(text.value)[:20]}"


def test_messages_count_with_the_one_helper() -> None:
    """No message says `1 users` or `1 command(s)`."""
    found: list[tuple[object, ...]] = []
    for path in SOURCES.rglob("*.py"):
        source = path.read_text()
        assert "(s) " not in re.sub(r'"""[^"]*"""', "", source), path
        if re.search(rf"}} ([a-z]+ )?(?:{NOUNS})\b", source):
            found += [
                (str(path.relative_to(SOURCES)), *one) for one in uncounted(ast.parse(source))
            ]
    assert not found
