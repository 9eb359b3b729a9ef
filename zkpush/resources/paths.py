"""Paths on the terminals' port, in all spellings of firmware, with their routing rows."""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from ..device.request import Gate, TerminalRoute
from ..protocol.requests import normalize_segment

_PATH = re.compile(
    rb"/(?:iclock(?:\.aspx)?/)+(?P<name>[^/]*)(?P<below>/.*)?", re.IGNORECASE | re.DOTALL
)


@attrs.frozen
class Selection:
    """One row of a path, with its parsed selector."""

    name: str
    """The argument to compare; empty if every request matches."""
    value: str
    """The value in lower case; empty if any value matches."""
    route: TerminalRoute


@attrs.frozen(eq=False)
class ServedPath:
    """The rows of one family under a path, by method."""

    methods: dict[str, tuple[Selection, ...]]
    """The rows of each method except the last one."""
    others: dict[str, TerminalRoute]
    """The last row of each method, which matches every request."""
    needs_terminal: bool
    """Whether each request must name its terminal."""
    is_long: bool
    """Whether a body may have the configured maximum length."""


@attrs.frozen(eq=False)
class SharedPath:
    """A path, with the rows of each family that has it."""

    name: str
    """The path without a trailing slash."""
    by_family: dict[str, ServedPath]
    is_folder: bool
    methods: tuple[str, ...]
    """The methods that any family accepts."""
    needs_terminal: bool
    """Whether each request must name its terminal, in every family."""


class PathTable:
    """All paths of terminals, with their rows."""

    def __init__(self, routes: Iterable[TerminalRoute]) -> None:
        """Raises `ValueError` unless exactly the last row of each method has no selector."""
        rows: dict[str, list[TerminalRoute]] = {}
        for route in routes:
            rows.setdefault(route.path.removesuffix("/"), []).append(route)
        self._paths = {name.encode(): _shared(name, found) for name, found in rows.items()}

    def find(self, path: bytes) -> SharedPath | None:
        """Return the served path, or None.

        Firmware writes paths in any case, with `.aspx`, with /iclock doubled, and with a trailing
        slash. Only folders have paths below them.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        served = self._paths.get(normalize_segment(found["name"]))
        if served is None or served.is_folder or found["below"] in (None, b"/"):
            return served
        return None


def _shared(name: str, routes: list[TerminalRoute]) -> SharedPath:
    of_families: dict[str, list[TerminalRoute]] = {}
    for route in routes:
        of_families.setdefault(route.family.name, []).append(route)
    by_family = {family: _served(name, rows) for family, rows in of_families.items()}
    methods = dict.fromkeys(method for one in by_family.values() for method in one.others)
    return SharedPath(
        name,
        by_family,
        any(route.path.endswith("/") for route in routes),
        tuple(methods),
        all(one.needs_terminal for one in by_family.values()),
    )


def _served(path: str, routes: list[TerminalRoute]) -> ServedPath:
    by_method: dict[str, list[TerminalRoute]] = {}
    for route in routes:
        for method in route.methods.split():
            by_method.setdefault(method, []).append(route)
    for method, rows in by_method.items():
        if [row.selector == "" for row in rows] != [False] * (len(rows) - 1) + [True]:
            raise ValueError(f"{method} {path}: the last row, and no other, has no selector")
    return ServedPath(
        methods={
            method: tuple(_selection(row) for row in rows[:-1])
            for method, rows in by_method.items()
        },
        others={method: rows[-1] for method, rows in by_method.items()},
        needs_terminal=all(route.gate is not Gate.NONE for route in routes),
        is_long=any(route.is_long for route in routes),
    )


def _selection(route: TerminalRoute) -> Selection:
    name, _, value = route.selector.partition("=")
    return Selection(name.lower(), value.lower(), route)
