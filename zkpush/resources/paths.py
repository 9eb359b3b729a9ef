"""The table of paths on the terminals' port."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..protocol.requests import normalize_segment
from .base import TerminalResource

_PATH = re.compile(
    rb"/(?:iclock(?:\.aspx)?/)+(?P<name>[^/]*)(?P<below>/.*)?", re.IGNORECASE | re.DOTALL
)


class PathTable:
    """Every path that terminals use: a name under /iclock, and its resource."""

    def __init__(self, resources: Mapping[str, TerminalResource]) -> None:
        """`resources` has the canonical name of each path: lower case, without `.aspx`."""
        self._resources = {name.encode(): resource for name, resource in resources.items()}

    def find(self, path: bytes) -> TerminalResource | None:
        """Return the resource of a path, or None.

        Firmware writes paths in any case, with `.aspx`, with /iclock doubled, and with a slash at
        the end. Only folders have paths below them.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        resource = self._resources.get(normalize_segment(found["name"]))
        if resource is None or resource.is_folder or found["below"] in (None, b"/"):
            return resource
        return None
