"""Pauses between attempts to deliver."""

from __future__ import annotations

from collections.abc import Callable

FIRST = 2.0
"""Longest pause after the first failure, in seconds."""
LONGEST = 600.0
"""Longest pause, in seconds, unless the receiver asks for more."""
LONGEST_REFUSED = 60.0
"""Longest pause after an error answer, in seconds: the receiver is there."""
PATIENCE = 24 * 3600.0
"""Longest pause that a receiver may ask for, in seconds."""
GIVEN_UP = 3 * 24 * 3600 * 1000
"""Milliseconds after its first failed attempt at which a batch is given up."""
MOST_DOUBLINGS = 20


def pause(
    failures: int, asked: float | None, chance: Callable[[], float], longest: float = LONGEST
) -> float:
    """Return the seconds until the next attempt, after the number of failures in a row.

    The pause doubles with each failure. `asked` is what the receiver wants, as a minimum. `chance`
    returns a random number from 0 to 1: pauses vary by half, so that receivers that come back are
    not met by all senders at once.
    """
    doublings = min(max(failures - 1, 0), MOST_DOUBLINGS)
    seconds: float = min(longest, FIRST * 2**doublings) * (0.5 + chance() / 2)
    return seconds if asked is None else max(seconds, min(asked, PATIENCE))
