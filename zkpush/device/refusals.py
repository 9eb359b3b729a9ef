"""What the door refuses, counted by the limit that struck."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Refused = Callable[[str, str | None, str | None], None]
"""Hears which limit has struck, and the serial number and address that it struck, if known."""

LIMITS = (
    "address",
    "body_bytes",
    "bodies_bytes",
    "browser",
    "connections",
    "connections_per_address",
    "head_bytes",
    "idle_seconds",
    "pending_terminals",
    "proxy",
    "request_seconds",
    "requests_per_minute",
    "stalled_seconds",
    "terminals",
    "unknown_per_minute",
)
"""The names of the limits: those of their keys in the configuration, but for three.

`address` is that of a terminal which is somewhere else than it may be, `proxy` one that is not
trusted, or does not say whom it speaks for, and `browser` a request that a browser sent.
"""


class LimitCounters:
    """Counts refusals, and passes them on."""

    def __init__(self, told: Refused | None = None) -> None:
        """`told` hears of each refusal as well."""
        self.counts = dict.fromkeys(LIMITS, 0)
        """How often each limit has struck, in this process and in its workers."""
        self._told = told

    def __call__(self, limit: str, sn: str | None, address: str | None) -> None:
        """Hear of a refusal."""
        self.counts[limit] += 1
        if self._told is not None:
            self._told(limit, sn, address)

    def add(self, counts: Mapping[str, int]) -> None:
        """Take over what a worker has counted."""
        for limit, count in counts.items():
            self.counts[limit] += count
