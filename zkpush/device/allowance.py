"""Rate limit by token bucket."""

from __future__ import annotations

MINUTE = 60.0


class Allowance:
    """A token bucket whose capacity is the tokens of one minute."""

    def __init__(self, per_minute: int, now: float) -> None:
        """Times are in seconds."""
        self._per_minute = per_minute
        self._credit = per_minute * MINUTE
        """The credit. A token costs `MINUTE`, so that whole seconds add up without rounding."""
        self._at = now
        self._told_at: float | None = None

    def take(self, now: float) -> bool:
        """Take a token; False if there is none."""
        credit, most = self._credit, self._per_minute * MINUTE
        if now > self._at:  # the clock may be set back
            credit += (now - self._at) * self._per_minute
            if credit > most:
                credit = most
        self._at = now
        is_left = credit >= MINUTE
        self._credit = credit - MINUTE if is_left else credit
        return is_left

    def tells(self, now: float) -> bool:
        """Whether to record a refusal: at most one a minute."""
        if self._told_at is not None and 0 <= now - self._told_at < MINUTE:
            return False
        self._told_at = now
        return True
