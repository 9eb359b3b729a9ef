"""Punches of a user ID at a terminal in a span of time, as nouns below attendance name them."""

from __future__ import annotations

import msgspec


class PunchSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Punches that came between two moments, and were made since a third one until the second one.

    Punches whose times are in doubt may have been made at any time. Times are in milliseconds since
    the epoch; None has no end on its side.
    """

    pin: str
    device_id: int | None = None
    """Key of the terminal; None for all terminals."""
    since_at: int | None = None
    until_at: int | None = None
    made_since: int | None = None
    """The earliest time of the punches."""

    def has(self, received_at: int, utc: int, doubt: str | None) -> bool:
        """Whether a punch is in the span, by its receipt (ms), its own time (s) and its doubt."""
        if self.since_at is not None and received_at < self.since_at:
            return False
        if self.until_at is not None and received_at > self.until_at:
            return False
        # A terminal tells whole seconds.
        is_early = self.made_since is not None and (utc + 1) * 1000 <= self.made_since
        is_late = self.until_at is not None and utc * 1000 > self.until_at
        return doubt is not None or not (is_early or is_late)
