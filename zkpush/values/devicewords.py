"""Meanings of coded attributes of terminals, by value."""

from __future__ import annotations

from collections.abc import Mapping

from ..protocol.codes import language_of

STATE_WORDS: Mapping[str, str] = {
    "pending": "awaits approval; its requests are refused",
    "approved": "its data is accepted",
    "blocked": "its requests are refused",
    "retired": "out of use: refused and not listed",
}
SESSION_WORDS: Mapping[str, str] = {
    "new": "not made yet",
    "ready": "made",
    "stale": "to be repeated, because a setting has changed",
    "keys": "public keys are exchanged",
    "factors": "factors of the key are exchanged",
    "encrypted": "made, and encrypted",
    "outdated": "encrypted, and to be repeated",
}
ENCODING_WORDS: Mapping[str | None, str] = {
    None: "that of its language",
    "utf-8": "all languages",
    "gb18030": "Simplified Chinese",
    "big5": "Traditional Chinese",
    "shift_jis": "Japanese",
    "euc_kr": "Korean",
    "windows-1250": "Central European",
    "windows-1251": "Cyrillic",
    "windows-1252": "Western European",
    "windows-1253": "Greek",
    "windows-1254": "Turkish",
    "windows-1255": "Hebrew",
    "windows-1256": "Arabic",
    "windows-1257": "Baltic",
    "windows-1258": "Vietnamese",
    "cp874": "Thai",
}
ENCRYPTION_WORDS: Mapping[str | None, str] = {
    None: "as configured for all terminals",
    "prefer": "encrypted where the terminal can do it",
    "require": "always encrypted",
    "never": "not encrypted",
}
TOKEN_WORDS: Mapping[str, str] = {
    "check": "required once the terminal has shown that it returns it",
    "require": "required from the first request on",
    "ignore": "not checked",
}
_TYPES = {"att": "attendance", "pid": "identity cards", "acc": "access control"}


def device_type_words(kind: str | None) -> str | None:
    """Return the meaning of a device type; None if it is not known."""
    return None if kind is None else _TYPES.get(kind.lower())


def language_words(language: str | None) -> str | None:
    """Return the language of a number (spec Appendix 2)."""
    return None if language is None else language_of(language).meaning
