"""Every regular expression of the package, and inputs that make an ambiguous one slow.

The inputs are made from what an expression consists of, which only Python's own parser of regular
expressions tells. It has no public name. A parser of our own could misread what `re` reads, and
generators of matching texts (`hypothesis`) use the same one. Where a new Python moves it, this
module fails to import, and `AMBIGUOUS` in test_patterns.py shows whether it still finds what it is
for.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import pathlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import zkpush
from zkpush.handlers.attendance import plain
from zkpush.protocol.exchange import OPTION_REPLY
from zkpush.protocol.fields import Field, Table
from zkpush.protocol.lines import LineDecoder
from zkpush.protocol.omission import TemplateRules
from zkpush.protocol.packets import PacketLimits
from zkpush.protocol.reports import OPTIONS
from zkpush.protocol.uploads import UploadDecoder

from .declared import COMMANDS, RECORD_TABLES

_INSIDE = ("zkpush.cli", "zkpush.simulator", "zkpush.persist.migrations")
"""Packages that see no bytes of a stranger."""
_USES = frozenset({"compile", "match", "search", "fullmatch", "split", "sub", "findall"})
_METHODS = frozenset({"match", "search", "fullmatch", "split", "sub", "findall", "finditer"})
_MOST_PUMPS = 24


def modules() -> list[Any]:
    """The modules of the package that run in the daemon."""
    names = [
        info.name
        for info in pkgutil.walk_packages(zkpush.__path__, "zkpush.")
        if not info.name.startswith(_INSIDE)
    ]
    return [importlib.import_module(name) for name in names]


Use = tuple[re.Pattern[Any], str]
"""A pattern, and the method that it is used by."""


def uses() -> dict[str, Use]:
    """The compiled patterns of the daemon by where they are, with each way that they are used."""
    found: dict[str, Use] = {}
    for module in modules():
        named = {
            name: value for name, value in vars(module).items() if isinstance(value, re.Pattern)
        }
        used = _methods(module) if named else {}
        for name, value in named.items():
            for method in used.get(name, ("finditer",)):
                found[f"{module.__name__}.{name}.{method}"] = value, method
    for table in (*RECORD_TABLES, OPTIONS):
        for name, value in vars(LineDecoder(table)).items():
            if isinstance(value, re.Pattern):
                found[f"LineDecoder({table.name}).{name}"] = value, "split"
    decoder = UploadDecoder(RECORD_TABLES, PacketLimits())
    found["UploadDecoder._keyword"] = vars(decoder)["_keyword"], "match"
    rules = TemplateRules([*RECORD_TABLES, OPTIONS], COMMANDS)
    for name, method in (("_hidden", "search"), ("_spaced", "sub")):
        found[f"TemplateRules.{name}"] = getattr(rules, name), method
    for tabs in (3, 6, 32):
        found[f"plain.lines_of({tabs})"] = plain.lines_of(tabs), "match"
    for field in _fields():
        if field.pattern is not None:
            pattern = re.compile(field.pattern, re.ASCII)
            found[f"Field({field.wire}): {field.pattern}"] = pattern, "fullmatch"
    for rule in itertools.chain(*(command.scope_rules for command in COMMANDS)):
        found[f"ScopeRule: {rule.pattern}"] = re.compile(rule.pattern, re.IGNORECASE), "search"
    return found


def _methods(module: Any) -> dict[str, list[str]]:
    """The methods that a module calls on each of its names, in the same order in each process."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(pathlib.Path(module.__file__).read_text())):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.attr in _METHODS
        ):
            found.setdefault(node.value.id, set()).add(node.attr)
    return {name: sorted(methods) for name, methods in found.items()}


def _fields() -> Iterator[Field]:
    tables: tuple[Table, ...] = (*RECORD_TABLES, OPTIONS, OPTION_REPLY)
    for table in tables:
        yield from table.fields
    for command in COMMANDS:
        yield from command.parameters


def calls() -> list[tuple[str, str]]:
    """Where the source uses `re` inside a function: the place, and the function that it calls."""
    found = []
    for module in modules():
        path = pathlib.Path(module.__file__)
        tree = ast.parse(path.read_text())
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            for node in ast.walk(function):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "re"
                    and node.func.attr in _USES
                ):
                    name = getattr(function, "name", "lambda")
                    found.append((f"{module.__name__}.{name}", node.func.attr))
    return sorted(set(found))


def pumped(pattern: re.Pattern[Any], length: int) -> Iterator[str | bytes]:
    """Inputs of a length that repeat what the pattern is made of, and end with what it refuses.

    Repeated are single characters, pairs, and pieces of a text that matches; before them stands
    the beginning of such a text.
    """
    source = pattern.pattern
    text = source if isinstance(source, str) else source.decode("latin-1")
    example, characters = _read(parser.parse(text, pattern.flags & ~re.UNICODE))
    pumps: dict[str, None] = dict.fromkeys(characters)
    pumps.update(dict.fromkeys(map("".join, itertools.permutations(characters[:6], 2))))
    if example:
        pumps[example] = None
        for start in range(1, len(example)):
            pumps[example[start:]] = pumps[example[:start]] = None
    heads = dict.fromkeys(("", example[: len(example) // 2], example, "x"))
    for pump in list(pumps)[:_MOST_PUMPS]:
        for head in heads:
            for tail in ("\x01", "x"):
                whole = head + pump * (length // len(pump) + 1)
                made = whole[: length - len(tail)] + tail
                yield made if isinstance(source, str) else made.encode("latin-1", "replace")


def _read(parsed: Any) -> tuple[str, list[str]]:
    """A text that a parsed pattern matches, and one character of each kind in it."""
    kinds: dict[str, None] = {" ": None}
    example = "".join(_example(parsed, kinds))
    return example, list(kinds)


def _example(parsed: Any, kinds: dict[str, None]) -> Iterator[str]:
    for code, value in parsed:
        if code is codes.LITERAL:
            kinds[chr(value)] = None
            yield chr(value)
        elif code is codes.IN:
            character = _one_of(value)
            kinds[character] = None
            yield character
        elif code in (codes.ANY, codes.NOT_LITERAL):
            kinds["a"] = None
            yield "a"
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            least, most, inner = value
            once = "".join(_example(inner, kinds))
            yield once * min(max(least, 1), int(most))
        elif code is codes.SUBPATTERN:
            yield from _example(value[-1], kinds)
        elif code is codes.ATOMIC_GROUP:
            yield from _example(value, kinds)
        elif code is codes.BRANCH:
            for place, branch in enumerate(value[1]):
                text = "".join(_example(branch, kinds))
                if place == 0:
                    yield text
        elif code is codes.ASSERT:
            yield "".join(_example(value[1], kinds))
        elif code is codes.ASSERT_NOT:
            "".join(_example(value[1], kinds))
        # What stands for a place or repeats a group adds nothing.


def _one_of(members: Any) -> str:
    """A character of a set."""
    negated = members[0][0] is codes.NEGATE
    allowed = {chr(number) for number in range(1, 256)}
    held: set[str] = set()
    for code, value in members:
        if code is codes.LITERAL:
            held.add(chr(value))
        elif code is codes.RANGE:
            held |= {chr(number) for number in range(value[0], min(value[1], 255) + 1)}
        elif code is codes.CATEGORY:
            held |= {c for c in allowed if re.match(_CATEGORIES.get(value, r"\w"), c)}
    chosen = allowed - held if negated else held
    for preferred in "a1 .:=":
        if preferred in chosen:
            return preferred
    return min(chosen, default="a")


_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_NOT_WORD: r"\W",
}
