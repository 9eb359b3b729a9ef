"""Texts compared as people compare them: without case, accents and forms of width."""

from __future__ import annotations

import unicodedata


class _Unmarked(dict[int, int | None]):
    """A table for `str.translate` that drops combining marks; filled with the letters in use."""

    def __missing__(self, letter: int) -> int | None:
        kept = None if unicodedata.combining(chr(letter)) else letter
        self[letter] = kept
        return kept


_UNMARKED = _Unmarked()


def fold(text: str) -> str:
    """Return a text without case, combining marks and compatibility forms."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).translate(_UNMARKED).casefold()
