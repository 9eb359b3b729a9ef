"""Names as parts of paths, for all addresses of the API and the console."""

from __future__ import annotations

import re
from urllib.parse import quote

_DOTS = re.compile(r"~*\.{1,2}")
_SHIELDED = re.compile(r"~+\.{1,2}")


def path_part(text: object) -> str:
    """Encode any text as one part of a path, or as a value of a query without dots alone.

    Browsers and programs resolve the parts `.` and `..` before they send a request, also as `%2e`.
    These get a tilde in front, as do names that are tildes and such dots already.
    """
    name = str(text)
    shield = "~" if _DOTS.fullmatch(name) else ""
    return shield + quote(name, safe="")


def named_by(part: str) -> str:
    """Return the name that a decoded part of a path stands for."""
    return part[1:] if _SHIELDED.fullmatch(part) else part
