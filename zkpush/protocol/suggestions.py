"""Suggestions for mistyped names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ..phrases import Phrase, either_of

_MOST_COMPARED, _MOST_MEANT = 64, 3


def did_you_mean(text: str, names: Iterable[str]) -> str:
    """Suggest names for a mistyped one, as a question; empty if none is similar."""
    return meaning_one_of(similar_names(text, names))


def similar_names(text: str, names: Iterable[str]) -> list[str]:
    """Return names that begin like a mistyped one, or else those that are similar."""
    by_key = {name.upper(): name for name in names}
    key = text.upper().strip()[:_MOST_COMPARED]
    longer = [one for one in by_key if key and one.startswith(key)]
    close = longer or difflib.get_close_matches(key, by_key, cutoff=0.7)
    return [by_key[one] for one in close[:_MOST_MEANT]]


def meaning_one_of(names: Sequence[str]) -> str:
    """Ask whether one of some names was meant; empty without a name."""
    return Phrase("did you mean %(meant)s?", meant=either_of(names)) if names else ""


def quoted_with_suggestion(name: str, names: Iterable[str]) -> str:
    """Quote a mistyped name, with those that may be meant."""
    quoted, meant = repr(name), did_you_mean(name, names)
    return Phrase("%(name)s (%(meant)s)", name=quoted, meant=meant) if meant else quoted
