"""Options of a terminal (spec 8, 9, 12.4.3): limits on their number and length.

Real terminals have one or two hundred options, a few KiB in total. Options beyond the limits become
rejects, so that a terminal cannot inflate its own entry, which is encrypted and shown as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping

MOST_OPTIONS = 1000
"""Maximum number of options of one terminal and of one upload."""
MOST_CHARACTERS = 64 * 1024
"""Maximum total length in characters of a terminal's option names and values."""
LONGEST_NAME = 64
LONGEST_VALUE = 4096
MOST_VALUES = 64
"""Maximum number of values in the update information (spec 9), which declares 13."""


def is_kept(name: str, value: str) -> bool:
    """Whether an option is short enough to keep."""
    return len(name) <= LONGEST_NAME and len(value) <= LONGEST_VALUE


def merge(
    known: Mapping[str, str], said: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Merge new options into the known ones; returns the result and the rejected options.

    Known options stay, even beyond the limits.
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
