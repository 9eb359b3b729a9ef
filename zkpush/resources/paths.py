"""The paths on the terminals' port, as firmware writes them, and the rows of each."""

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
    """One row of a path, with its selector taken apart."""

    name: str
    """The argument that is looked at; empty if every request matches."""
    value: str
    """In small letters; empty if any value matches."""
    route: TerminalRoute


@attrs.frozen(eq=False)
class ServedPath:
    """A path and its rows, by method."""

    methods: dict[str, tuple[Selection, ...]]
    """The rows of each method before its last one, which matches every request."""
    others: dict[str, TerminalRoute]
    """The last row of each method."""
    is_folder: bool
    needs_terminal: bool
    """Whether each request has to name its terminal."""
    is_long: bool
    """Whether a body may be as long as is configured."""


class PathTable:
    """Every path that terminals use, with its rows."""

    def __init__(self, routes: Iterable[TerminalRoute]) -> None:
        """`ValueError` if a row is never reached, or a method of a path has no last one."""
        rows: dict[str, list[TerminalRoute]] = {}
        for route in routes:
            rows.setdefault(route.path, []).append(route)
        self._paths = {
            path.removesuffix("/").encode(): _served(path, found) for path, found in rows.items()
        }

    def find(self, path: bytes) -> ServedPath | None:
        """Return what is served under a path, or None.

        Firmware writes paths in any case, with `.aspx`, with /iclock doubled, and with a slash at
        the end. Only folders have paths below them.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        served = self._paths.get(normalize_segment(found["name"]))
        if served is None or served.is_folder or found["below"] in (None, b"/"):
            return served
        return None


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
        is_folder=path.endswith("/"),
        needs_terminal=all(route.gate is not Gate.NONE for route in routes),
        is_long=any(route.is_long for route in routes),
    )


def _selection(route: TerminalRoute) -> Selection:
    name, _, value = route.selector.partition("=")
    return Selection(name.lower(), value.lower(), route)
