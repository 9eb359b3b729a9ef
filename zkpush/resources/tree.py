"""The tree of paths on the terminals' port."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.web.resource import Resource
from twisted.web.server import Request

from ..protocol.requests import normalize_segment
from .base import Nowhere, TerminalResource


class IClock(Resource):
    """/iclock, however firmware writes it: other case, `.aspx`, doubled, ending in `/`."""

    def __init__(self, children: Mapping[str, TerminalResource]) -> None:
        super().__init__()
        self._named = {name.encode(): child for name, child in children.items()}

    def getChild(self, path: bytes, request: Request | None) -> Resource:
        """Find the resource of a path segment."""
        name = normalize_segment(path)
        if name == b"iclock":
            return self
        return self._named.get(name) or Nowhere()


class Root(Resource):
    """Everything is under /iclock."""

    def __init__(self, children: Mapping[str, TerminalResource]) -> None:
        super().__init__()
        self._iclock = IClock(children)

    def getChild(self, path: bytes, request: Request | None) -> Resource:
        """Find /iclock in any case."""
        return self._iclock if normalize_segment(path) == b"iclock" else Nowhere()

    def find(self, path: bytes) -> TerminalResource | None:
        """The resource of a whole path, as twisted.web would find it; None if there is none."""
        here: Resource = self
        segments = path.split(b"/")[1:]
        while segments:
            if here.isLeaf:
                if isinstance(here, TerminalResource) and (here.is_folder or segments == [b""]):
                    return here
                return None
            here = here.getChild(segments.pop(0), None)
        return here if isinstance(here, TerminalResource) else None
