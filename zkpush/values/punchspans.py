"""Punches of a user ID at a terminal in a span of time, as nouns below attendance name them."""

from __future__ import annotations

import msgspec


class PunchSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Punches that came since a moment, and were made since another one and before a third one.

    A terminal may send punches late: those that came after the end, but were made before it, are
    among them. Punches whose times are in doubt may have been made at any time since. Times are in
    milliseconds since the epoch; None has no end on its side.
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
        until = self.until_at
        if until is not None and received_at >= until and utc * 1000 >= until:
            return False
        # A terminal tells whole seconds.
        is_early = self.made_since is not None and (utc + 1) * 1000 <= self.made_since
        return doubt is not None or not is_early
