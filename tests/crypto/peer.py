"""Another implementation of docs/encryption.md: no line of zkpush, and HPKE from RFC 9180 itself.

The private keys of HPKE are given here, so that what it makes can be made again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import zlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def joined(*parts: bytes) -> bytes:
    """D(…) of the page."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def extract(salt: bytes, material: bytes) -> bytes:
    """HKDF-Extract (RFC 5869)."""
    return hmac.digest(salt or bytes(32), material, "sha256")


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand (RFC 5869)."""
    made, block = b"", b""
    for counter in range(1, 4):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        made += block
    return made[:length]


def public(private: bytes) -> bytes:
    """The public key of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def agree(private: bytes, other: bytes) -> bytes:
    """X25519 (RFC 7748)."""
    key = X25519PrivateKey.from_private_bytes(private)
    return key.exchange(X25519PublicKey.from_public_bytes(other))


KEM = b"KEM\x00\x20"
HPKE = b"HPKE\x00\x20\x00\x01\x00\x02"


def labeled_extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    """RFC 9180, 4."""
    return extract(salt, b"HPKE-v1" + suite + label + material)


def labeled_expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """RFC 9180, 4."""
    return expand(key, struct.pack(">H", length) + b"HPKE-v1" + suite + label + info, length)


def hpke_key(secret: bytes, ephemeral: bytes, recipient: bytes, info: bytes) -> tuple[bytes, bytes]:
    """The key and the nonce of the first message, in base mode (RFC 9180, 4.1 and 5.1)."""
    shared = labeled_expand(
        KEM,
        labeled_extract(KEM, b"", b"eae_prk", secret),
        b"shared_secret",
        ephemeral + recipient,
        32,
    )
    context = (
        b"\0"
        + labeled_extract(HPKE, b"", b"psk_id_hash", b"")
        + labeled_extract(HPKE, b"", b"info_hash", info)
    )
    root = labeled_extract(HPKE, shared, b"secret", b"")
    key = labeled_expand(HPKE, root, b"key", context, 32)
    return key, labeled_expand(HPKE, root, b"base_nonce", context, 12)


def hpke_seal(text: bytes, recipient: bytes, info: bytes, ephemeral: bytes) -> bytes:
    """Encrypt to a public key, by a private key that is used for this alone."""
    sent = public(ephemeral)
    key, nonce = hpke_key(agree(ephemeral, recipient), sent, recipient, info)
    return sent + AESGCM(key).encrypt(nonce, text, b"")


def hpke_open(sealed: bytes, private: bytes, info: bytes) -> bytes:
    """Decrypt by a private key."""
    sent = sealed[:32]
    key, nonce = hpke_key(agree(private, sent), sent, public(private), info)
    return AESGCM(key).decrypt(nonce, sealed[32:], b"")


def factor_info(whose: bytes, sn: bytes, p1: bytes, p2: bytes) -> bytes:
    """What a factor is bound to."""
    return joined(b"zkpush factor", b"\x01", whose, sn, p1, p2)


def value(raw: bytes) -> bytes:
    """A value of the exchange."""
    return base64.b64encode(b"\x01" + raw)


def session_key(
    r1: bytes, r2: bytes, sn: bytes, p1: bytes, p2: bytes, secret: bytes = b""
) -> bytes:
    """The session key."""
    info = joined(b"zkpush session", b"\x01", sn, p1, p2)
    return expand(extract(secret, joined(r1, r2)), info, 32)


def direction_key(key: bytes, direction: bytes) -> bytes:
    """The key of one direction."""
    return expand(key, joined(b"zkpush direction", b"\x01", direction), 32)


def seal(
    key: bytes,
    direction: bytes,
    place: list[bytes],
    number: int,
    nonce: bytes,
    body: bytes,
    version: bytes = b"\x01",
    crc: int | None = None,
) -> bytes:
    """A sealed body; `place` is serial number, method, path, then names and values."""
    head = version + struct.pack(">Q", number)
    text = struct.pack(">I", zlib.crc32(body) if crc is None else crc) + body
    return head + nonce + AESGCM(key).encrypt(nonce, text, head + joined(direction, *place))


def unseal(key: bytes, direction: bytes, place: list[bytes], sealed: bytes) -> tuple[int, bytes]:
    """The number and the body that were sealed."""
    head, nonce, text = sealed[:9], sealed[9:21], sealed[21:]
    plain = AESGCM(key).decrypt(nonce, text, head + joined(direction, *place))
    assert plain[:4] == struct.pack(">I", zlib.crc32(plain[4:]))
    return struct.unpack(">Q", head[1:])[0], plain[4:]


def rc4(key: bytes, text: bytes) -> bytes:
    """RC4, by the book."""
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    made, i, j = bytearray(), 0, 0
    for byte in text:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        made.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(made)


def fixed(name: str, length: int = 32) -> bytes:
    """Bytes of the test vectors: not random, and good for nothing else."""
    return hashlib.sha256(name.encode()).digest()[:length]
