"""Texts compared as people compare them: without case, accents and forms of width."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Return a text without case, combining marks and compatibility forms."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(one for one in parts if not unicodedata.combining(one)).casefold()
