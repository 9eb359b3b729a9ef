"""Suggestions for mistyped names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST_COMPARED, _MOST_MEANT = 64, 3


def did_you_mean(text: str, names: Iterable[str]) -> str:
    """Suggest names for a mistyped one, as a question; empty if none is similar."""
    by_key = {name.upper(): name for name in names}
    key = text.upper().strip()[:_MOST_COMPARED]
    longer = [one for one in by_key if key and one.startswith(key)]
    close = longer or difflib.get_close_matches(key, by_key, cutoff=0.7)
    meant = " or ".join(by_key[one] for one in close[:_MOST_MEANT])
    return f"did you mean {meant}?" if close else ""
