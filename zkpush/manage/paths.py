"""Paths of the API and the console, and their variables."""

from __future__ import annotations

import functools
from urllib.parse import unquote

from werkzeug.routing import Map, MapAdapter, Rule, UnicodeConverter

from ..pathparts import named_by


class PathPart(UnicodeConverter):
    """A variable of a path: any text, also one with slashes."""

    def to_python(self, value: str) -> str:
        """Return the text of a part that `parts_in` has encoded."""
        return named_by(value.replace("%2F", "/").replace("%25", "%"))


def parts_in(path: bytes) -> str:
    """Decode a path, except for slashes and percent signs within its parts."""
    parts = path.decode("ascii", "replace").split("/")
    decoded = (unquote(part, errors="replace") for part in parts)
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in decoded)


@functools.cache
def map_of(paths: tuple[tuple[str, str], ...]) -> MapAdapter:
    """Map methods and paths to their numbers; cached for all daemons of a process.

    It matches paths that `parts_in` has decoded.
    """
    rules = [
        Rule(path, methods=[method], endpoint=number) for number, (method, path) in enumerate(paths)
    ]
    return Map(rules, strict_slashes=False, converters={"default": PathPart}).bind("zkpush")
