"""How one terminal writes: what has to be known of it before its bytes can be read."""

from __future__ import annotations

import msgspec

from .text import encoding_for
from .versions import BASELINE, Version, negotiate, own_version

FIRST_FAMILY = "attendance"
"""The terminal family of whatever names none: Attendance PUSH."""


class Dialect(msgspec.Struct, frozen=True):
    """The version, encoding and kind of a terminal, as its last exchange (5) gave them."""

    version: Version = BASELINE
    """The negotiated version (Appendix 6)."""
    own_version: Version = BASELINE
    """The version the terminal itself is of, which may be above the server's."""
    encoding: str = "utf-8"
    device_type: str | None = None
    """`att`, `pid` (identity cards) or `ins`."""
    family: str = FIRST_FAMILY
    """The terminal family, whose tables and commands these are."""


def dialect_of(
    push_version: str | None,
    language: str | None,
    device_type: str | None,
    family: str = FIRST_FAMILY,
) -> Dialect:
    """Work out how a terminal writes from what it said of itself."""
    return Dialect(
        version=negotiate(push_version),
        own_version=own_version(push_version),
        encoding=encoding_for(language),
        device_type=device_type,
        family=family,
    )
