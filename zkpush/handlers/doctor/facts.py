"""Facts about a terminal, for its checks."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...model import Device
from ..commands.model import StuckQueue
from ..trace.model import TracedRequest


@attrs.frozen
class TerminalFacts:
    """Data about a terminal."""

    device: Device
    now: int
    """Milliseconds since the epoch."""
    is_online: bool
    last_seen_at: int | None
    trace: Sequence[TracedRequest]
    """Newest last."""
    oldest_command_at: int | None
    """When the oldest command that may be sent now was queued (ms)."""
    stuck: StuckQueue | None
    """Its queue, if no answer has come for long."""
    stamps: frozenset[str]
    """Names of the tables that it has ever uploaded."""

    def problem(self, code: str) -> str | None:
        """Return the detail of a problem of the terminal; None if it does not have it."""
        return next((one.detail for one in self.device.problems if one.code == code), None)
