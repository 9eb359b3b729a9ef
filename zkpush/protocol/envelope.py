"""Encrypted sessions on the wire: exchange requests (spec 6, 7) and sealed bodies.

The spec defines the order of the exchange, its two requests and their fields (Appendix 8), and
leaves the algorithms to a library. So field values are opaque here: text that a cipher suite writes
and reads. This module defines what a sealed body is bound to (`Place`), and how a request without a
body carries a seal. See docs/encryption.md.
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
"""The first version that supports encrypted sessions (Appendix 6)."""
EXCHANGE_PATH = "exchange"
EXCHANGE_CONTENT_TYPE = "application/push;charset=UTF-8"
"""Content type of exchange replies (spec 6, 7)."""
MOST_VALUE = 4096
"""Maximum length in bytes of a public key or factor."""
SEAL = "seal"
"""The argument that carries the seal of a request without a body."""
MOST_SEAL = 1024
"""Maximum length in characters of that argument."""
_VALUE = re.compile(rb"[!-~]++\Z")
_SEAL = re.compile(r"[A-Za-z0-9_-]++\Z", re.ASCII)
_IS_QUERY = frozenset({"GET", "HEAD"})
_LENGTH_BYTES = 4
FIRST_OF_TEXT = 9
"""HT; neither text nor a packet begins with a lower byte."""
_LZO = b"LZO1"
_LZO_HEAD = 8


class NotOpened(TerminalError):
    """Data was not sealed for this place and time by a holder of the keys.

    There is one type with one message for all causes, so that it tells an attacker nothing.
    """

    def __init__(self) -> None:
        super().__init__("This was not sealed for this request; begin with the exchange again.")


class Step(Enum):
    """Requests of the exchange: the `type` argument and the key in the body."""

    PUBLIC_KEY = ("publickey", "PublicKey")
    FACTOR = ("factors", "Factors")

    def __init__(self, type: str, key: str) -> None:
        self.type = type
        self.key = key


class Direction(Enum):
    """Direction of a body."""

    REQUEST = b"request"
    REPLY = b"reply"


@attrs.frozen
class Opened:
    """The decrypted data."""

    body: bytes = attrs.field(repr=False)
    number: int | None
    """The request number, higher than all before it unless replayed. None if the suite has no
    numbers, and so no replay protection."""


@attrs.frozen
class Exchanged:
    """The result of an exchange step."""

    state: bytes = attrs.field(repr=False)
    """State for the next step: secret, to be stored encrypted, and never used for two steps."""
    answer: bytes
    """The value for the reply."""


class Place(msgspec.Struct, frozen=True):
    """Identity of a request, which its bodies are bound to; a body can be opened in no other."""

    sn: str
    method: str
    """The HTTP method in capitals."""
    path: str
    """The canonical path below /iclock; within a file's folder, as it was sent."""
    arguments: tuple[tuple[str, str], ...] = ()
    """Arguments except `SN` and the seal, with names in lower case and sorted."""

    def binding(self, direction: Direction) -> bytes:
        """Associated data that a suite authenticates with a body."""
        parts = [direction.value, *(part.encode() for part in (self.sn, self.method, self.path))]
        for name, value in self.arguments:
            parts += (name.encode(), value.encode())
        return delimited(*parts)


def place_of(sn: str, method: str, path: bytes, arguments: Arguments) -> Place:
    """The place of a request, normalizing the spelling of its path, method and arguments."""
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
    """Join parts unambiguously, each after its length as a big-endian 32-bit integer."""
    return b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)


def can_encrypt(push_version: str | None) -> bool:
    """Whether both sides support encrypted sessions (Appendix 8, case 2)."""
    return negotiate(push_version) >= ENCRYPTION


def looks_sealed(has_seal: bool, body: bytes) -> bool:
    """Whether a request looks sealed; if not, it may be sealed all the same."""
    return has_seal or (body != b"" and body[0] < FIRST_OF_TEXT)


def step_of(arguments: Arguments) -> Step:
    """The exchange step of a request; raises `TerminalError` if there is none."""
    wanted = arguments.get("type", "").strip().lower()
    for step in Step:
        if step.type == wanted:
            return step
    raise TerminalError("An exchange has type=publickey or type=factors.")


def encode_step(step: Step, value: bytes) -> bytes:
    """Encode the body of a step or its reply (spec 6, 7); raises `ValueError`."""
    if not _is_value(value):
        raise ValueError("a public key or factor is visible ASCII, and not too long")
    return b"%b=%b" % (step.key.encode(), value)


def decode_step(step: Step, body: bytes) -> bytes:
    """Decode the value in the body of a step or its reply; raises `TerminalError`."""
    text = body.strip(b" \t\r\n\0") if len(body) <= 2 * MOST_VALUE else b""
    key, _, value = text.partition(b"=")
    value = value.strip(b" ")
    if key.strip().lower() != step.key.lower().encode() or not _is_value(value):
        raise TerminalError(f"The body of this exchange is one line, {step.key}=…")
    return value


def _is_value(value: bytes) -> bool:
    return len(value) <= MOST_VALUE and _VALUE.match(value) is not None


def sealed_of(method: str, arguments: Arguments, body: bytes) -> bytes:
    """The sealed data of a request: its body, or its `seal=` argument; empty if none."""
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
    """Encode the value of `seal=`: URL-safe base64 (RFC 4648, section 5) without padding."""
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unreadable_form(body: bytes) -> str | None:
    """The reason a plain body of a known form cannot be decoded; None for other bodies.

    Old firmware sends `LZO1`, the plain length as a little-endian int32, and the transformed text:
    XOR with its serial number, lzo1x, XOR with the offset of each byte modulo 128.
    """
    if not body.startswith(_LZO) or len(body) < _LZO_HEAD:
        return None
    length = int.from_bytes(body[len(_LZO) : _LZO_HEAD], "little", signed=True)
    return (
        f"LZO1: an encoded body of old firmware, of {length} bytes of text, which zkpush does not "
        "read; turn off the encryption of its data in the terminal's communication menu, restart "
        "it, and let it send everything again"
    )
