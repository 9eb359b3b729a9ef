"""Limits on deletions of people that nobody has confirmed."""

from __future__ import annotations

FEW = 20
"""Number of people who may be deleted at once without a confirmation."""
SHARE = 0.05
"""Share of all people, or of those on a terminal, who may be, if that is at least `LEAST`."""
LEAST = 3
RULE = f"more than {FEW}, or {SHARE:.0%} of all and at least {LEAST}"
"""The limit in words."""
EMPTYING = frozenset({"CLEAR DATA", "CLEAR ALL USERINFO"})
"""Commands that delete all people on a terminal."""
DELETION, DELETED_PIN = "DATA DELETE USERINFO", "PIN"
"""The command that deletes one person on a terminal, and its parameter for the user ID."""


def is_many(count: int, of: int) -> bool:
    """Whether a deletion of `count` people among `of` needs a confirmation."""
    return count > FEW or (count >= LEAST and count > SHARE * of)
