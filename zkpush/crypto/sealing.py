"""Operations common to both ends of our suite: keys, factors and sealed bodies.

X25519 keys, factors sealed to them by HPKE (RFC 9180), HKDF-SHA256, AES-256-GCM. The functions are
stateless and independent of the end that runs them. docs/encryption.md is the specification; change
both together.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import zlib
from collections.abc import Callable
from enum import Enum

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from ..protocol.envelope import Direction, NotOpened, Opened, Place, delimited

VERSION = b"\x01"
"""First byte of every value that this suite sends or stores."""
KEY_BYTES = 32
FACTOR_BYTES = 32
LEAST_FACTOR, MOST_FACTOR = 16, 64
"""Most bytes of a factor from the other side."""
LEAST_SECRET = 16
LAST_NUMBER = 2**32
"""Number of the last request of a session; random nonces are safe up to this count."""
MOST_BODY = 2**30
"""Most bytes of a body; the limit of AES-GCM is twice that."""
_NUMBER_BYTES, _NONCE_BYTES, _CRC_BYTES, _TAG_BYTES = 8, 12, 4, 16
_NONCE_AT = len(VERSION) + _NUMBER_BYTES
_TEXT_AT = _NONCE_AT + _NONCE_BYTES
OVERHEAD = _TEXT_AT + _CRC_BYTES + _TAG_BYTES
"""Bytes by which sealing lengthens a body."""
_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FACTOR, _SESSION, _DIRECTION = b"zkpush factor", b"zkpush session", b"zkpush direction"

Random = Callable[[int], bytes]
"""Returns the given number of random bytes; `secrets.token_bytes`, except for test vectors."""


class Side(Enum):
    """Side that made a factor."""

    TERMINAL = b"R1"
    SERVER = b"R2"


@attrs.frozen
class Parties:
    """Participants of an exchange: the serial number, and the public keys P1 and P2."""

    sn: str
    terminal: bytes
    server: bytes

    def said(self, label: bytes, *more: bytes) -> bytes:
        """Return the context that binds a key or a factor to one purpose."""
        return delimited(label, VERSION, *more, self.sn.encode(), self.terminal, self.server)


@attrs.frozen
class SessionKeys:
    """Keys of a session, one for each direction, derived from the session key."""

    request: bytes = attrs.field(repr=False)
    reply: bytes = attrs.field(repr=False)


def check_secret(secret: bytes) -> None:
    """Check a preshared secret; raises `ValueError` if it is set and too short."""
    if secret and len(secret) < LEAST_SECRET:
        raise ValueError(f"a secret has {LEAST_SECRET} bytes or more, or there is none")


def make_private(random: Random) -> bytes:
    """Create a private key."""
    return random(KEY_BYTES)


def public_of(private: bytes) -> bytes:
    """Return the public key of a private key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def encode_value(raw: bytes) -> bytes:
    """Encode a public key or a sealed factor for a request: base64, with the version first."""
    return base64.b64encode(VERSION + raw)


def decode_value(text: bytes) -> bytes:
    """Decode a public key or a sealed factor; raises `NotOpened` for another version."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise NotOpened from None
    if not raw.startswith(VERSION) or base64.b64encode(raw) != text:
        raise NotOpened
    return raw[len(VERSION) :]


def decode_public(text: bytes) -> bytes:
    """Decode a public key; raises `NotOpened` if it is invalid."""
    raw = decode_value(text)
    if len(raw) != KEY_BYTES:
        raise NotOpened
    return raw


def seal_factor(factor: bytes, side: Side, parties: Parties) -> bytes:
    """Encrypt a factor to the public key of the other side; raises `NotOpened` for a bad key."""
    public = parties.server if side is Side.TERMINAL else parties.terminal
    info = parties.said(_FACTOR, side.value)
    try:
        sealed = _HPKE.encrypt(factor, X25519PublicKey.from_public_bytes(public), info=info)
    except ValueError:  # a low-order key, whose shared secrets are known
        raise NotOpened from None
    return encode_value(sealed)


def open_factor(text: bytes, side: Side, parties: Parties, private: bytes) -> bytes:
    """Decrypt the factor of a side; raises `NotOpened` if it belongs to another exchange."""
    key = X25519PrivateKey.from_private_bytes(private)
    try:
        factor = _HPKE.decrypt(decode_value(text), key, info=parties.said(_FACTOR, side.value))
    except (InvalidTag, ValueError):
        raise NotOpened from None
    if not LEAST_FACTOR <= len(factor) <= MOST_FACTOR:
        raise NotOpened
    return factor


def session_key(parties: Parties, terminal: bytes, server: bytes, secret: bytes) -> bytes:
    """Derive the session key from the factors R1 and R2, the serial number and the public keys.

    With a preshared secret, a man in the middle cannot compute it.
    """
    return HKDF(SHA256(), KEY_BYTES, secret, parties.said(_SESSION)).derive(
        delimited(terminal, server)
    )


def session_keys(key: bytes) -> SessionKeys:
    """Derive the keys of the two directions."""
    request, reply = (
        HKDFExpand(SHA256(), KEY_BYTES, delimited(_DIRECTION, VERSION, way.value)).derive(key)
        for way in (Direction.REQUEST, Direction.REPLY)
    )
    return SessionKeys(request, reply)


def seal(
    keys: SessionKeys,
    direction: Direction,
    place: Place,
    number: int,
    body: bytes,
    random: Random = secrets.token_bytes,
) -> bytes:
    """Encrypt a body, bound to its place, direction and number."""
    if not 1 <= number <= LAST_NUMBER or len(body) > MOST_BODY:
        raise ValueError("a session has no such number, or a body is too large")
    head = VERSION + number.to_bytes(_NUMBER_BYTES, "big")
    nonce = random(_NONCE_BYTES)
    text = b"".join((zlib.crc32(body).to_bytes(_CRC_BYTES, "big"), body))
    cipher = AESGCM(_key(keys, direction))
    sealed = cipher.encrypt(nonce, text, head + place.binding(direction))
    return b"".join((head, nonce, sealed))


def unseal(keys: SessionKeys, direction: Direction, place: Place, sealed: bytes) -> Opened:
    """Decrypt a body; raises `NotOpened` unless it was sealed for this place and direction.

    The caller must check the number for replays.
    """
    if not OVERHEAD <= len(sealed) <= OVERHEAD + MOST_BODY or not sealed.startswith(VERSION):
        raise NotOpened
    head = sealed[:_NONCE_AT]
    number = int.from_bytes(head[len(VERSION) :], "big")
    if not 1 <= number <= LAST_NUMBER:
        raise NotOpened
    try:
        text = AESGCM(_key(keys, direction)).decrypt(
            sealed[_NONCE_AT:_TEXT_AT], sealed[_TEXT_AT:], head + place.binding(direction)
        )
    except InvalidTag:
        raise NotOpened from None
    body = text[_CRC_BYTES:]
    if not hmac.compare_digest(text[:_CRC_BYTES], zlib.crc32(body).to_bytes(_CRC_BYTES, "big")):
        raise NotOpened
    return Opened(body, number)


def _key(keys: SessionKeys, direction: Direction) -> bytes:
    return keys.request if direction is Direction.REQUEST else keys.reply
