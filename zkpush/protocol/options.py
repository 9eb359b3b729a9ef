"""Options of a terminal (8, 9, 12.4.3): how many of them are kept, and of what length.

Real terminals have one or two hundred, of a few KiB together. What is beyond the bounds is a
reject, so that one terminal cannot make its own entry, which is sealed and shown as a whole, grow.
"""

from __future__ import annotations

from collections.abc import Mapping

MOST_OPTIONS = 1000
"""Options of one terminal, and of one upload."""
MOST_CHARACTERS = 64 * 1024
"""Characters of all names and values of a terminal together."""
LONGEST_NAME = 64
LONGEST_VALUE = 4096
MOST_VALUES = 64
"""Values in the update information (9), which declares 13."""


def is_kept(name: str, value: str) -> bool:
    """Whether an option is short enough."""
    return len(name) <= LONGEST_NAME and len(value) <= LONGEST_VALUE


def merge(
    known: Mapping[str, str], said: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Add what a terminal says to what it said before, and return also what does not fit.

    What was there stays, also where it is beyond the bounds.
    """
    merged, left = dict(known), {}
    characters = sum([len(name) + len(value) for name, value in merged.items()])
    for name, value in said.items():
        before = merged.get(name)
        growth = len(value) - len(before) if before is not None else len(name) + len(value)
        if before == value:
            continue
        fits = growth <= 0 or characters + growth <= MOST_CHARACTERS
        if is_kept(name, value) and fits and (before is not None or len(merged) < MOST_OPTIONS):
            merged[name] = value
            characters += growth
        else:
            left[name] = value
    return merged, left
