"""Text of single values on the wire: decoders for each kind of value."""

from __future__ import annotations

import base64
import datetime
import functools
import re

from .times import unpack_time

_INTEGER = re.compile(r"[+-]?[0-9]{1,10}\Z", re.ASCII)
_CARD = re.compile(r"\[(?P<bytes>(?:[0-9A-Fa-f]{2}){1,13})\]|[0-9A-Za-z]{0,32}", re.ASCII)
LONGEST_CARD = 32
"""Maximum length in characters of a card number."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]*+={0,2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}(?:\.[0-9]{1,6})?", re.ASCII)
_QUOTED = 40
_LOOSE_TIME = re.compile(
    r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})[ T]([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?",
    re.ASCII,
)
_PACKED_TIME = re.compile(r"[1-9][0-9]{8,9}", re.ASCII)
"""A packed time from 2003 on; a smaller number may belong to another column."""
TIME_LENGTH = len("2015-07-30 15:16:28")


def quoted(text: str) -> str:
    """The beginning of an unreadable value, quoted for an error message.

    It stops before a `=`: where separators are damaged, a secret may follow it.
    """
    return repr(text.partition("=")[0][:_QUOTED])


def decode_text(text: str) -> str:
    """Return the text unchanged."""
    return text


def decode_integer(text: str) -> int:
    """Decode a decimal integer of at most ten digits; raises `ValueError`."""
    if not _INTEGER.match(text):
        raise ValueError(f"{quoted(text)} is not an integer")
    return int(text)


def decode_number(text: str) -> float:
    """Decode a finite decimal number such as a temperature; raises `ValueError`."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a number")
    return float(text)


def decode_time(text: str) -> str:
    """Decode a wall clock time (spec 11.2) to `YYYY-MM-DD HH:MM:SS`.

    Terminals also write `/` or `T`, one-digit parts, no seconds, or one packed integer; each form
    has one meaning. Raises `ValueError` for any other text or a time that does not exist.
    """
    if len(text) == TIME_LENGTH:
        try:
            # `fromisoformat` also accepts week dates and offsets: only the canonical form survives
            # a round trip.
            if str(datetime.datetime.fromisoformat(text)) == text:
                return text
        except ValueError:
            pass
    found = _LOOSE_TIME.fullmatch(text)
    try:
        if found is not None:
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
            return str(datetime.datetime(year, month, day, hour, minute, second))
        if _PACKED_TIME.fullmatch(text):
            return unpack_time(int(text))
    except ValueError:
        pass
    raise ValueError(f"{quoted(text)} is not a time of the form YYYY-MM-DD HH:MM:SS")


def decode_moment(text: str) -> str:
    """Decode a wall clock time, which old firmware packs into an integer (spec 11.4).

    Raises `ValueError` if there is no such time in either form.
    """
    is_packed = len(text) != TIME_LENGTH and _INTEGER.match(text)
    return unpack_time(int(text)) if is_packed else decode_time(text)


def decode_card(text: str) -> str:
    """Decode a card number (spec 11.5) to a decimal number; empty for no card.

    `[15CD5B07]` holds its bytes, least significant first; anything else is the number itself.
    Raises `ValueError` for any other text.
    """
    found = _CARD.fullmatch(text)
    if found is None:
        raise ValueError("this is neither a card number nor its bytes in [ ]")
    if found["bytes"] is not None:
        number = int.from_bytes(bytes.fromhex(found["bytes"]), "little")
        return str(number) if number else ""
    return text if text.strip("0") else ""


def decode_base64(text: str) -> bytes:
    """Check base64, with or without final padding, and return it unchanged as bytes."""
    if not _BASE64.fullmatch(text) or len(text.rstrip("=")) % 4 == 1:
        raise ValueError("this is not base64")
    return text.encode()


def plain_base64(text: bytes) -> bytes:
    """Decode checked base64, padded or not."""
    stripped = text.rstrip(b"=")
    return base64.b64decode(stripped + b"=" * (-len(stripped) % 4))


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a field's pattern, cached, because the cache of `re` costs as much as a match."""
    return re.compile(pattern, re.ASCII)
