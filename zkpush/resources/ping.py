"""/iclock/ping: the heartbeat of a terminal that is busy with a large upload (10)."""

from __future__ import annotations

from .base import Call, TerminalResource


class Ping(TerminalResource):
    """GET is what the specification shows, POST what it says; both are taken."""

    methods = ("GET", "POST")

    def changes(self, call: Call) -> bool:
        """It does nothing."""
        return False

    def answer(self, call: Call) -> bytes:
        """Answer that the server is there."""
        return b"OK"
