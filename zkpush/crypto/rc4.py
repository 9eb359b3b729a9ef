"""RC4 for `Encrypt=1` (5), as in firmware of protocol 2.3.0, with a configured key.

This suite is weak, and exists only because such terminals support nothing else. RC4 is broken.
There is no nonce: every upload of a terminal uses the same key stream, so anyone with two uploads
can read both. Nothing is authenticated, so uploads can be changed and replayed. The spec does not
state the key.
"""

from __future__ import annotations

import re

import attrs
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import ICipherSuite
from ..protocol.envelope import Direction, Exchanged, NotOpened, Opened, Place

_SIZES = tuple(sorted(bits // 8 for bits in ARC4.key_sizes))
_NO_TEXT = re.compile(rb"[^\t\n\r -~\x80-\xff]")


@implementer(IPlugin, ICipherSuite)
@attrs.frozen
class RC4Suite:
    """Decrypts uploads of attendance records, and nothing else (`EncryptFlag=1…`)."""

    name = "rc4"
    weakness = "RC4 hides attendance records from nobody who tries; prefer TLS."
    exchanges = False

    def check_secret(self, secret: bytes) -> None:
        """Raise `ValueError` unless there is a key of a size that RC4 supports."""
        if len(secret) not in _SIZES:
            sizes = ", ".join(map(str, _SIZES))
            raise ValueError(f"rc4 needs the key of the terminals, of one of {sizes} bytes")

    def covers(self, place: Place, direction: Direction) -> bool:
        """Whether the place is an upload of attendance records."""
        return (
            direction is Direction.REQUEST
            and (place.method, place.path) == ("POST", "cdata")
            and dict(place.arguments).get("table", "").upper() == "ATTLOG"
        )

    def begin(self, sn: str, secret: bytes, public_key: bytes) -> Exchanged:
        """Return the key as the session; there is no exchange."""
        self.check_secret(secret)
        if public_key:
            raise NotOpened
        return Exchanged(secret, b"")

    def agree(self, state: bytes, factor: bytes) -> Exchanged:
        """Raise `NotOpened`: this suite has no factors."""
        raise NotOpened

    def open(self, state: bytes, place: Place, sealed: bytes) -> Opened:
        """Decrypt attendance records; raises `NotOpened` if the result is not text in columns.

        This is no authentication; it only prevents acknowledging uploads while the key is wrong.
        """
        self.check_secret(state)
        if not self.covers(place, Direction.REQUEST):
            raise NotOpened
        body = Cipher(ARC4(state), mode=None).decryptor().update(sealed)
        if _NO_TEXT.search(body) or (body and b"\t" not in body):
            raise NotOpened
        return Opened(body, None)

    def seal(self, state: bytes, place: Place, number: int | None, body: bytes) -> bytes:
        """Raise `ValueError`: replies are plain."""
        raise ValueError("rc4 does not cover replies")
