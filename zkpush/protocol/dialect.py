"""Dialect of a terminal: what a decoder must know before it reads its data."""

from __future__ import annotations

import msgspec

from .text import CHINESE, encoding_for, guessed_encoding
from .versions import BASELINE, Version, negotiate, own_version

FIRST_FAMILY = "attendance"
"""The default terminal family: Attendance PUSH."""


class Dialect(msgspec.Struct, frozen=True):
    """The version, encoding and type of a terminal, from its last exchange (spec 5)."""

    version: Version = BASELINE
    """The negotiated version (Appendix 6)."""
    own_version: Version = BASELINE
    """The terminal's own version, which may exceed the server's."""
    encoding: str = "utf-8"
    """The encoding of texts for the terminal."""
    device_type: str | None = None
    """`att`, `pid` (identity cards) or `ins`."""
    family: str = FIRST_FAMILY
    """The terminal family, which selects tables and commands."""
    is_guessed: bool = False
    """Whether texts of the terminal may also be in another encoding; see `protocol.text`."""

    def encoding_of(self, text: bytes) -> str:
        """The encoding of a text that the terminal sent."""
        return guessed_encoding(text, self.encoding) if self.is_guessed else self.encoding


def dialect_of(
    push_version: str | None,
    language: str | None,
    device_type: str | None,
    family: str = FIRST_FAMILY,
    encoding: str | None = None,
    shown_encoding: str | None = None,
) -> Dialect:
    """Derive a terminal's dialect from its self-description.

    `encoding` is the one that an operator has set; None for that of the language, or for
    `shown_encoding`, the other one in which a terminal set to Chinese has sent texts.
    """
    is_guessed = encoding is None and language in CHINESE
    if is_guessed:
        encoding = shown_encoding
    return Dialect(
        version=negotiate(push_version),
        own_version=own_version(push_version),
        encoding=encoding or encoding_for(language),
        device_type=device_type,
        family=family,
        is_guessed=is_guessed,
    )
