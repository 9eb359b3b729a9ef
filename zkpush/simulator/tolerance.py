"""Tolerant parsing of replies: real firmware accepts some that the protocol does not allow.

Many servers reply to the exchange with a bare `OK`, write CRLF, or omit the last LF. Firmware goes
on: with its defaults, without the CRs, and without the last line. So does a simulated terminal,
which reports the error, unless it is strict.
"""

from __future__ import annotations

from collections.abc import Callable

from ..protocol.commands import decode_commands
from ..protocol.handshake import decode_options

DEFAULTS = {"Realtime": "1"}
"""Options of a terminal that received none."""
_QUOTED = 60
Warn = Callable[[str], object]
"""Called with a description of each tolerated error."""


def read_options(body: bytes, warn: Warn) -> dict[str, str]:
    """Parse the reply to the exchange; `ValueError` if no firmware accepts it."""
    if body.strip() == b"OK":
        warn(f"the reply to the exchange has no options, so it works with its own: {body!r}")
        return DEFAULTS
    return decode_options(_mended(body, "the reply to the exchange", warn))


def read_commands(body: bytes, warn: Warn) -> list[tuple[str, bytes]]:
    """Parse the reply to a poll; `ValueError` if no firmware accepts it."""
    if body.strip() == b"OK":
        return []
    return decode_commands(_mended(body, "the reply to a poll", warn))


def _mended(body: bytes, what: str, warn: Warn) -> bytes:
    if b"\r\n" in body:
        warn(f"{what} has CRLF for LF: {body[:_QUOTED]!r}")
        body = body.replace(b"\r\n", b"\n")
    whole, end, rest = body.rpartition(b"\n")
    if rest:
        warn(f"{what} does not end with LF, so its last line is dropped: {rest[:_QUOTED]!r}")
    return whole + end
