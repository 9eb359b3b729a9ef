"""Serial numbers: the name of a terminal in every request (2)."""

from __future__ import annotations

import re

from .errors import TerminalError

_SERIAL = re.compile(r"[A-Za-z0-9_-]{1,32}\Z", re.ASCII)


def check_serial(text: str | None) -> str:
    """Return a serial number that is safe in a log, a file name and a query.

    `TerminalError` unless it is 1 to 32 letters, digits, `-` or `_`. The message does not repeat
    what was sent.
    """
    if text is None:
        raise TerminalError("The request names no terminal: SN is missing.")
    if not _SERIAL.match(text):
        raise TerminalError("SN must be 1 to 32 letters, digits, - or _.")
    return text
