"""Encrypted sessions on the wire: the exchange requests (6, 7), and bodies that are sealed.

The spec fixes the order of the exchange, its two requests and their fields (Appendix 8), and leaves
the algorithms to a library. So what a field holds is opaque here: text that a cipher suite made, or
will read. What is fixed here is what a sealed body belongs to (`Place`), and how a request without
a body carries a seal. Part of docs/encryption.md.
"""

from __future__ import annotations

import base64
import binascii
import re
from enum import Enum

import attrs
import msgspec

from .errors import TerminalError
from .requests import Arguments, normalize_segment
from .versions import Version, negotiate

ENCRYPTION = Version(2, 4, 0)
"""The first version whose sessions can be encrypted (Appendix 6)."""
EXCHANGE_PATH = "exchange"
EXCHANGE_CONTENT_TYPE = "application/push;charset=UTF-8"
"""What the replies of the exchange are (6, 7)."""
MOST_VALUE = 4096
"""Bytes of the longest public key or factor that is taken."""
SEAL = "seal"
"""The argument by which a request without a body carries a seal."""
MOST_SEAL = 1024
"""Characters of the longest such argument."""
_VALUE = re.compile(rb"[!-~]++\Z")
_SEAL = re.compile(r"[A-Za-z0-9_-]++\Z", re.ASCII)
_IS_QUERY = frozenset({"GET", "HEAD"})
_LENGTH_BYTES = 4
FIRST_OF_TEXT = 9
"""HT; lower bytes begin no text, and no packet."""
_LZO = b"LZO1"
_LZO_HEAD = 8


class NotOpened(TerminalError):
    """Something was not made for this place and moment by who has the keys.

    One type with one message, whatever was wrong: nobody learns from it how close they were.
    """

    def __init__(self) -> None:
        super().__init__("This was not sealed for this request; begin with the exchange again.")


class Step(Enum):
    """The requests of the exchange: their `type`, and the key of what they carry."""

    PUBLIC_KEY = ("publickey", "PublicKey")
    FACTOR = ("factors", "Factors")

    def __init__(self, type: str, key: str) -> None:
        self.type = type
        self.key = key


class Direction(Enum):
    """Which way a body goes."""

    REQUEST = b"request"
    REPLY = b"reply"


@attrs.frozen
class Opened:
    """What was sealed."""

    body: bytes = attrs.field(repr=False)
    number: int | None
    """The number of the request: higher than all before it, or it is a replay. None if the suite
    has no numbers, and replays cannot be seen."""


@attrs.frozen
class Exchanged:
    """What a step of the exchange has come to."""

    state: bytes = attrs.field(repr=False)
    """What the next step needs: secret, to be kept sealed, and never used for two steps."""
    answer: bytes
    """The value to answer with."""


class Place(msgspec.Struct, frozen=True):
    """A request, as far as it says what its bodies mean; a body can be opened in no other."""

    sn: str
    method: str
    """In capitals."""
    path: str
    """From below /iclock, as zkpush spells it; what is under a file's folder as it was sent."""
    arguments: tuple[tuple[str, str], ...] = ()
    """By name, in small letters and sorted, but for `SN` and the seal: the table, the stamp…"""

    def binding(self, direction: Direction) -> bytes:
        """What a suite authenticates beside a body."""
        parts = [direction.value, *(part.encode() for part in (self.sn, self.method, self.path))]
        for name, value in self.arguments:
            parts += (name.encode(), value.encode())
        return delimited(*parts)


def place_of(sn: str, method: str, path: bytes, arguments: Arguments) -> Place:
    """The place of a request, however firmware writes its path, method and arguments."""
    segments = [segment for segment in path.split(b"/") if segment]
    while segments and normalize_segment(segments[0]) == b"iclock":
        del segments[0]
    segments[:1] = [normalize_segment(segment) for segment in segments[:1]]
    pairs = sorted((name.lower(), value) for name, value in arguments.items())
    return Place(
        sn=sn,
        method=method.upper(),
        path=b"/".join(segments).decode("utf-8", "replace"),
        arguments=tuple(pair for pair in pairs if pair[0] not in ("sn", SEAL)),
    )


def delimited(*parts: bytes) -> bytes:
    """Join parts so that no others give the same bytes: each behind its length, big-endian."""
    return b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)


def can_encrypt(push_version: str | None) -> bool:
    """Whether both sides know encrypted sessions (Appendix 8, case 2)."""
    return negotiate(push_version) >= ENCRYPTION


def looks_sealed(has_seal: bool, body: bytes) -> bool:
    """Whether a request looks as if it were sealed; that it does not says nothing."""
    return has_seal or (body != b"" and body[0] < FIRST_OF_TEXT)


def step_of(arguments: Arguments) -> Step:
    """Which step of the exchange a request makes; `TerminalError` if none."""
    wanted = arguments.get("type", "").strip().lower()
    for step in Step:
        if step.type == wanted:
            return step
    raise TerminalError("An exchange has type=publickey or type=factors.")


def encode_step(step: Step, value: bytes) -> bytes:
    """Write the body of a step, or of its answer (6, 7); `ValueError` if it is no value."""
    if not _is_value(value):
        raise ValueError("a public key or factor is visible ASCII, and not too long")
    return b"%b=%b" % (step.key.encode(), value)


def decode_step(step: Step, body: bytes) -> bytes:
    """Read the body of a step, or of its answer: the value; `TerminalError` if there is none."""
    text = body.strip(b" \t\r\n\0") if len(body) <= 2 * MOST_VALUE else b""
    key, _, value = text.partition(b"=")
    value = value.strip(b" ")
    if key.strip().lower() != step.key.lower().encode() or not _is_value(value):
        raise TerminalError(f"The body of this exchange is one line, {step.key}=…")
    return value


def _is_value(value: bytes) -> bool:
    return len(value) <= MOST_VALUE and _VALUE.match(value) is not None


def sealed_of(method: str, arguments: Arguments, body: bytes) -> bytes:
    """What is sealed of a request: its body, or its `seal=`; nothing if it has none."""
    if method.upper() not in _IS_QUERY:
        return body
    text = arguments.get(SEAL, "")
    if len(text) > MOST_SEAL or not _SEAL.match(text):
        return b""
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return b""
    return sealed if encode_seal(sealed) == text else b""


def encode_seal(sealed: bytes) -> str:
    """The value of `seal=`: base64 for URLs (RFC 4648, 5), without padding."""
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unreadable_form(body: bytes) -> str | None:
    """Why a plain body cannot be read although it is no mistake; None if nothing is known of it.

    Old firmware sends `LZO1`, the plain length as int32, little-endian, and what it made of the
    text: XOR with its serial number, lzo1x, XOR with the place of each byte modulo 128.
    """
    if not body.startswith(_LZO) or len(body) < _LZO_HEAD:
        return None
    length = int.from_bytes(body[len(_LZO) : _LZO_HEAD], "little", signed=True)
    return (
        f"LZO1: an encoded body of old firmware, of {length} bytes of text, which zkpush does not "
        "read; turn off the encryption of its data in the terminal's communication menu, restart "
        "it, and let it send everything again"
    )
