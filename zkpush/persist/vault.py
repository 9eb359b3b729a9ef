"""Encryption at rest: values bound to their place, and authenticated.

A sealed value is a head and then the ciphertext, in chunks, all AES-256-GCM:

    version (1) | key id (8) | size of the plain value (8) | nonce (12) | wrapped value key (48)
    then for each 64 KiB of the plain value: ciphertext and tag (16)

Every value has its own key, which is wrapped under the data key named in the head. The wrapping
also authenticates the head up to the nonce. The nonce of a chunk is its position. The associated
data of the value is authenticated with each chunk, so a value that is moved to another row, cut or
recombined does not decrypt. Part of a large value can be decrypted without the rest. Key rotation
rewrites only the heads (`renew`), which needs neither the value nor its associated data.

Short values that are written together, such as the columns of an upload's rows, share a value key,
which is wrapped once (`Vault.together`). Each has its own nonce, the number of the value:

    version (2) | key id (8) | number (8) | nonce (12) | wrapped value key (48)
    then one chunk: ciphertext and tag (16)

The data keys are stored in the database, wrapped under the site key, which is not
(`zkpush.persist.keys`).
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import secrets
import struct
from collections.abc import Callable

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from ..interfaces import NotUnsealed
from .damage import DamageLog

KEY_BYTES = 32
CHUNK = 64 * 1024
"""Plain bytes in each chunk except the last."""
SINGLE, SHARED = b"\x01", b"\x02"
"""First byte of a sealed value: with a key of its own, or with a shared key."""
ID_BYTES = 8
_NONCE_BYTES, _TAG_BYTES = 12, 16
_NUMBER = struct.Struct(">Q")
_SIZE_AT = len(SINGLE) + ID_BYTES
_NONCE_AT = _SIZE_AT + _NUMBER.size
_WRAPPED_AT = _NONCE_AT + _NONCE_BYTES
HEAD_BYTES = _WRAPPED_AT + KEY_BYTES + _TAG_BYTES
"""Bytes before the chunks."""
SEALED_CHUNK = CHUNK + _TAG_BYTES
PERSON = "person:"
"""Prefix of the pseudonym of a person; hexadecimal digits follow."""
_PERSON_BYTES = 10
_FIRST_NONCE = bytes(_NONCE_BYTES)
_BEFORE_NUMBER = bytes(_NONCE_BYTES - _NUMBER.size)
"""Padding before an eight-byte number, which makes the same nonce as `_nonce`."""


@attrs.frozen
class DataKey:
    """Key that wraps value keys."""

    id: bytes
    secret: bytes = attrs.field(repr=False)
    cipher: AESGCM = attrs.field(init=False, repr=False, eq=False)
    """Created once, because that takes as long as encrypting a short value."""

    marks: tuple[bytes, bytes] = attrs.field(init=False, eq=False)
    """First bytes of the values sealed under it: with a key of their own, and with a shared key."""

    @cipher.default
    def _cipher(self) -> AESGCM:
        return AESGCM(self.secret)

    @marks.default
    def _marks(self) -> tuple[bytes, bytes]:
        return SINGLE + self.id, SHARED + self.id

    @classmethod
    def make(cls) -> DataKey:
        """Create a random key."""
        return cls(secrets.token_bytes(ID_BYTES), secrets.token_bytes(KEY_BYTES))


@attrs.frozen
class AuditKeys:
    """Keys of the audit log: for its hash chain, and for the pseudonyms of people."""

    chain: DataKey
    """Signs new rows and the head of the chain."""
    naming: bytes = attrs.field(repr=False)
    """Creates pseudonyms; unchanged by key rotation."""
    retired: tuple[DataKey, ...] = ()
    """Keys that signed rows before a rotation; they only verify."""

    @classmethod
    def make(cls) -> AuditKeys:
        """Create the keys for a new database."""
        return cls(DataKey.make(), DataKey.make().secret)

    def pseudonym(self, pin: str) -> str:
        """Return the pseudonym of a person in the audit log.

        Reversing it needs the key and a search over all possible user IDs.
        """
        digest = hmac.digest(self.naming, b"zkpush person\0" + pin.encode(), "sha256")
        return f"{PERSON}{digest[:_PERSON_BYTES].hex()}"


@attrs.frozen
class Vault:
    """Encrypts under one data key, and decrypts values of any of the data keys."""

    sealing: DataKey
    indexing: bytes = attrs.field(repr=False)
    retired: tuple[DataKey, ...] = ()
    """Retired data keys, kept while values are sealed under them."""
    audit: AuditKeys = attrs.field(factory=AuditKeys.make)
    damage: DamageLog = attrs.field(factory=DamageLog, eq=False, repr=False)
    """Damaged values found by readers."""
    _index: HMAC = attrs.field(init=False, eq=False, repr=False)
    """HMAC of nothing, copied for each value; a copy takes a third of the time of a new one."""

    @_index.default
    def _keyed_index(self) -> HMAC:
        return HMAC(self.indexing, SHA256())

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Encrypt a value bound to `about` (associated data), which is needed to open it.

        `about` names the row and the column, and is not part of the result. Store the result in a
        column of bytes, where key rotation finds it.
        """
        random = secrets.token_bytes(KEY_BYTES + _NONCE_BYTES)
        secret, nonce = random[:KEY_BYTES], random[KEY_BYTES:]
        size = len(plain)
        head = _wrap(self.sealing, _NUMBER.pack(size), secret, nonce)
        cipher = AESGCM(secret)
        if size <= CHUNK:
            return head + cipher.encrypt(_FIRST_NONCE, plain, about)
        chunks = [
            cipher.encrypt(_nonce(number), plain[number * CHUNK : (number + 1) * CHUNK], about)
            for number in range(_chunks(size))
        ]
        return b"".join((head, *chunks))

    def together(self) -> Callable[[bytes, bytes], bytes]:
        """Return a function like `seal` for values that are written together.

        They share a value key, which makes short values five times as fast. Long values get their
        own keys.
        """
        secret, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(_NONCE_BYTES)
        encrypt, pack = AESGCM(secret).encrypt, _NUMBER.pack
        mark = self.sealing.marks[1]
        wrapped = nonce + self.sealing.cipher.encrypt(nonce, secret, mark)
        numbers = itertools.count()

        def seal(plain: bytes, about: bytes) -> bytes:
            if len(plain) > CHUNK:
                return self.seal(plain, about)
            number = pack(next(numbers))
            return mark + number + wrapped + encrypt(_BEFORE_NUMBER + number, plain, about)

        return seal

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """Decrypt a value; raises `NotUnsealed` unless it is intact, ours, and bound to `about`."""
        cipher, first, size = self._begin(sealed[:HEAD_BYTES], len(sealed))
        return b"".join(
            _chunk(cipher, first + number, sealed[_place(number) : _place(number + 1)], about)
            for number in range(_chunks(size))
        )

    def open_part(
        self,
        read: Callable[[int, int], bytes],
        length: int,
        about: bytes,
        start: int,
        count: int,
    ) -> bytes:
        """Decrypt up to `count` bytes of a value from `start`, without reading the rest.

        `read(start, count)` returns sealed bytes; `length` is their total number.
        """
        cipher, nonce, size = self._begin(read(0, HEAD_BYTES), length)
        end = min(start + count, size)
        if start >= end:
            return b""
        first, last = start // CHUNK, (end - 1) // CHUNK
        begin = _place(first)
        sealed = read(begin, min(_place(last + 1), length) - begin)
        plain = b"".join(
            _chunk(
                cipher,
                nonce + number,
                sealed[_place(number) - begin : _place(number + 1) - begin],
                about,
            )
            for number in range(first, last + 1)
        )
        return plain[start - first * CHUNK : end - first * CHUNK]

    def index(self, plain: bytes) -> bytes:
        """Keyed hash of a value, 32 bytes, for equality lookups.

        HMAC-SHA256 of the SHA-256 of the value. It is the same after the keys are rotated.
        """
        return self.index_of(hashlib.sha256(plain).digest())

    def index_of(self, digest: bytes) -> bytes:
        """Return the index of the value with this SHA-256."""
        index = self._index.copy()
        index.update(digest)
        return index.finalize()

    def renew(self, head: bytes) -> bytes:
        """Rewrap the head of a value from a retired key to the current one."""
        secret, nonce = self._unwrap(head), secrets.token_bytes(_NONCE_BYTES)
        if not head.startswith(SHARED):
            return _wrap(self.sealing, head[_SIZE_AT:_NONCE_AT], secret, nonce)
        mark = self.sealing.marks[1]
        wrapped = self.sealing.cipher.encrypt(nonce, secret, mark)
        return b"".join((mark, head[_SIZE_AT:_NONCE_AT], nonce, wrapped))

    def _begin(self, head: bytes, length: int) -> tuple[AESGCM, int, int]:
        """Return the cipher of a value, the nonce of its first chunk and its plain size (bytes)."""
        cipher = AESGCM(self._unwrap(head))
        (number,) = _NUMBER.unpack_from(head, _SIZE_AT)
        is_shared = head.startswith(SHARED)
        first, size = (number, plain_length(length)) if is_shared else (0, number)
        if length != sealed_length(size) or (is_shared and size > CHUNK):
            raise NotUnsealed("a sealed value is cut, or longer than it was")
        return cipher, first, size

    def _unwrap(self, head: bytes) -> bytes:
        if len(head) != HEAD_BYTES:
            raise NotUnsealed("a value is not sealed, or cut")
        for key in (self.sealing, *self.retired):
            if head.startswith(key.marks):
                authenticated = _SIZE_AT if head.startswith(SHARED) else _NONCE_AT
                return _unwrap(key.cipher, head[_NONCE_AT:], head[:authenticated])
        raise NotUnsealed("a value is not sealed under a key of this database")


def sealed_length(size: int) -> int:
    """Size in bytes of a sealed value, from its plain size."""
    return HEAD_BYTES + size + _TAG_BYTES * _chunks(size)


def plain_length(length: int) -> int:
    """Plain size in bytes of a value, from its sealed size."""
    chunks = -(-(length - HEAD_BYTES) // SEALED_CHUNK)
    return max(0, length - HEAD_BYTES - _TAG_BYTES * chunks)


def wrap_key(site: bytes, secret: bytes, about: bytes) -> bytes:
    """Encrypt a data key under the site key."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(site).encrypt(nonce, secret, about)


def unwrap_key(site: bytes, wrapped: bytes, about: bytes) -> bytes:
    """Decrypt a data key; raises `NotUnsealed` if another site key encrypted it."""
    return _unwrap(AESGCM(site), wrapped, about)


def _wrap(key: DataKey, size: bytes, secret: bytes, nonce: bytes) -> bytes:
    head = key.marks[0] + size
    return head + nonce + key.cipher.encrypt(nonce, secret, head)


def _unwrap(cipher: AESGCM, wrapped: bytes, about: bytes) -> bytes:
    try:
        return cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], about)
    except (InvalidTag, ValueError):
        raise NotUnsealed("the key of a sealed value was changed") from None


def _chunk(cipher: AESGCM, number: int, sealed: bytes, about: bytes) -> bytes:
    try:
        return cipher.decrypt(_nonce(number), sealed, about)
    except InvalidTag:
        raise NotUnsealed("a sealed value was changed, or moved from another place") from None


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")


def _chunks(size: int) -> int:
    return max(1, -(-size // CHUNK))


def _place(number: int) -> int:
    """Offset of a chunk in the sealed value."""
    return HEAD_BYTES + number * SEALED_CHUNK
