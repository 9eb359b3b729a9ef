"""Background verification (spec 12.8.3): the user ID in a PostVerifyData body.

The specification does not define the body. It is parsed like other uploads: pairs with `PIN=…`
among them, or columns with the user ID first.
"""

from __future__ import annotations

import re

from .fields import Field
from .text import decode_line

POST_VERIFY_DATA = "PostVerifyData"
"""The `type=` argument of the request."""
LOOKED_AT = 64 * 1024
"""Bytes at the start of a body that are searched for the user ID."""
_SEPARATOR = re.compile(r"[\t&,\r\n]")
_PIN = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]{0,31}+ ++)?PIN *+=(?P<pin>.*+)\Z", re.IGNORECASE)
_DATE = re.compile(r" (?=[0-9]{4}-[0-9]{2}-[0-9]{2} )", re.ASCII)


def find_pin(body: bytes, encoding: str, pin: Field) -> str | None:
    """Find the user ID in a body; None if there is none or more than one.

    `pin` is the field of user IDs, which defines their form.

    Pairs are separated by TAB, `&`, comma or a line end; the name may be in any case and follow a
    keyword (spec 11.5). Without such a pair, the user ID is the text before the first separator, or
    before a space and a date.
    """
    text, _ = decode_line(body[:LOOKED_AT].lstrip(b"\r\n"), encoding)
    parts = _SEPARATOR.split(text)
    if len(body) > LOOKED_AT:
        parts.pop()  # possibly truncated
    found = {match["pin"].strip(" ") for part in parts if (match := _PIN.match(part.lstrip(" ")))}
    if not found and parts:
        found = {_DATE.split(parts[0], maxsplit=1)[0].strip(" ")}
    if len(found) != 1:
        return None
    try:
        return str(pin.decode(found.pop()))
    except ValueError:
        return None
