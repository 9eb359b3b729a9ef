"""Serial numbers, which identify the terminal in every request (spec 2)."""

from __future__ import annotations

import re

from ..phrases import Phrase
from .errors import TerminalError

_SERIAL = re.compile(r"[A-Za-z0-9_-]{1,32}\Z", re.ASCII)


def check_serial(text: str | None) -> str:
    """Return a serial number that is safe in logs, file names and queries.

    Raises `TerminalError` unless it is 1 to 32 letters, digits, `-` or `_`. The message does not
    quote the input.
    """
    if text is None:
        raise TerminalError("The request names no terminal: SN is missing.")
    if not _SERIAL.match(text):
        raise TerminalError(Phrase("SN must be 1 to 32 letters, digits, - or _."))
    return text
