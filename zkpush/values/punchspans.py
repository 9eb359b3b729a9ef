"""Punches of a user ID at a terminal in a span of time, as nouns below attendance name them."""

from __future__ import annotations

import msgspec


class PunchSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Punches that came since a moment, and were made or came before another one.

    A terminal may send punches late: those that came after the end, but were made before it, are
    among them. Times are in milliseconds since the epoch; None has no end on its side.
    """

    pin: str
    device_id: int | None = None
    """Key of the terminal; None for all terminals."""
    since_at: int | None = None
    until_at: int | None = None

    def has(self, received_at: int, utc: int) -> bool:
        """Whether a punch is in the span, by its receipt (ms) and its own time (s)."""
        if self.since_at is not None and received_at < self.since_at:
            return False
        until = self.until_at
        return until is None or received_at < until or utc * 1000 < until
