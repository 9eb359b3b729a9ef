"""Background verification (12.8.3): whom the body of PostVerifyData is about.

The specification gives the body no format. It is read as what terminals send elsewhere: pairs of
`PIN=…` among others, or columns of which the first is the user ID.
"""

from __future__ import annotations

import re

from .fields import Field
from .text import decode_line

POST_VERIFY_DATA = "PostVerifyData"
"""The `type=` of the request."""
LOOKED_AT = 64 * 1024
"""Bytes at the beginning of a body in which the user ID is looked for."""
_SEPARATOR = re.compile(r"[\t&,\r\n]")
_PIN = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]{0,31}+ ++)?PIN *+=(?P<pin>.*+)\Z", re.IGNORECASE)
_DATE = re.compile(r" (?=[0-9]{4}-[0-9]{2}-[0-9]{2} )", re.ASCII)


def find_pin(body: bytes, encoding: str, pin: Field) -> str | None:
    """The user ID in a body; None if there is none, or if there are two.

    `pin` is the field of user IDs, which says what one looks like.

    Pairs are separated by TAB, `&`, comma or a line end, and the name is in any case; a keyword may
    stand before it (11.5). Without such a pair, it is what stands before the first separator, or
    before a space and a date.
    """
    text, _ = decode_line(body[:LOOKED_AT].lstrip(b"\r\n"), encoding)
    parts = _SEPARATOR.split(text)
    if len(body) > LOOKED_AT:
        parts.pop()  # it may be cut short
    found = {match["pin"].strip(" ") for part in parts if (match := _PIN.match(part.lstrip(" ")))}
    if not found and parts:
        found = {_DATE.split(parts[0], maxsplit=1)[0].strip(" ")}
    if len(found) != 1:
        return None
    try:
        return str(pin.decode(found.pop()))
    except ValueError:
        return None
