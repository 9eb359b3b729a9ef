"""Texts of the console that are translated when they are shown."""

from __future__ import annotations

from ...phrases import Phrase, counted_phrase, words_of

__all__ = ["UNTRANSLATED", "Phrase", "counted_phrase", "words_of"]

UNTRANSLATED = frozenset({"nation"})
"""Names of fields whose values have meanings that are proper names."""
