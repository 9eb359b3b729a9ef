"""Limits on deletions that nobody has confirmed."""

from __future__ import annotations

FEW = 20
"""Number of people who may be deleted from a terminal at once without a confirmation."""
SHARE = 0.05
"""Share of the people on a terminal who may be, if that is at least `LEAST`."""
LEAST = 3


def is_many(count: int, of: int) -> bool:
    """Whether a deletion of `count` people from a terminal with `of` needs a confirmation."""
    return count > FEW or (count >= LEAST and count > SHARE * of)
