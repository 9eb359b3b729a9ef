"""RC4 for `Encrypt=1` (5): what firmware of protocol 2.3.0 has, with a key that is configured.

Weak, and here only because such terminals have nothing else. RC4 is broken; there is no nonce, so
every upload of a terminal is encrypted with the same bytes, and who has two of them can read both;
nothing is authenticated, so uploads can be changed and replayed. The key is not in the spec.
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
    """Opens uploads of attendance records, and nothing else (`EncryptFlag=1…`)."""

    name = "rc4"
    weakness = "RC4 hides attendance records from nobody who tries; prefer TLS."
    exchanges = False

    def check_secret(self, secret: bytes) -> None:
        """A key there must be, of a size that RC4 is implemented for."""
        if len(secret) not in _SIZES:
            sizes = ", ".join(map(str, _SIZES))
            raise ValueError(f"rc4 needs the key of the terminals, of one of {sizes} bytes")

    def covers(self, place: Place, direction: Direction) -> bool:
        """Attendance records that are uploaded."""
        return (
            direction is Direction.REQUEST
            and (place.method, place.path) == ("POST", "cdata")
            and dict(place.arguments).get("table", "").upper() == "ATTLOG"
        )

    def begin(self, sn: str, secret: bytes, public_key: bytes) -> Exchanged:
        """The key is the session; there is nothing to exchange."""
        self.check_secret(secret)
        if public_key:
            raise NotOpened
        return Exchanged(secret, b"")

    def agree(self, state: bytes, factor: bytes) -> Exchanged:
        """There are no factors."""
        raise NotOpened

    def open(self, state: bytes, place: Place, sealed: bytes) -> Opened:
        """Decrypt attendance records; `NotOpened` if what comes of it is not text in columns.

        That is no authentication: it is so that nothing is acknowledged while the key is wrong.
        """
        self.check_secret(state)
        if not self.covers(place, Direction.REQUEST):
            raise NotOpened
        body = Cipher(ARC4(state), mode=None).decryptor().update(sealed)
        if _NO_TEXT.search(body) or (body and b"\t" not in body):
            raise NotOpened
        return Opened(body, None)

    def seal(self, state: bytes, place: Place, number: int | None, body: bytes) -> bytes:
        """Replies are plain: `ValueError`."""
        raise ValueError("rc4 does not cover replies")
