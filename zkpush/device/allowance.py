"""How often something may be done."""

from __future__ import annotations

MINUTE = 60.0


class Allowance:
    """How often something may still be done: a token bucket that holds the tokens of a minute."""

    def __init__(self, per_minute: int, now: float) -> None:
        """Times are in seconds."""
        self._per_minute = per_minute
        self._credit = per_minute * MINUTE
        """A token costs `MINUTE`: whole seconds then add up without rounding."""
        self._at = now
        self._told_at: float | None = None

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        passed, self._at = max(0.0, now - self._at), now  # clocks are set back, too
        per_minute = self._per_minute
        self._credit = min(per_minute * MINUTE, self._credit + passed * per_minute)
        if self._credit < MINUTE:
            return False
        self._credit -= MINUTE
        return True

    def tells(self, now: float) -> bool:
        """Whether a refusal is to be recorded: one a minute is."""
        if self._told_at is not None and 0 <= now - self._told_at < MINUTE:
            return False
        self._told_at = now
        return True
