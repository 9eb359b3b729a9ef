"""Secrets at rest: what is sealed opens only here, in its own place, and only if it is whole.

A sealed value is a head and then the ciphertext, in chunks, all AES-256-GCM:

    version (1) | key id (8) | size of the plain value (8) | nonce (12) | wrapped value key (48)
    then for each 64 KiB of the plain value: ciphertext and tag (16)

Every value has a key of its own, which is used for nothing else and is wrapped under the data key
that the head names; the head up to the nonce is authenticated with it. The nonce of a chunk is its
place, and what the value is about is authenticated with each: a value that is moved to another
row, cut, or put together otherwise does not open. A part of a large value is opened without the
rest. When the keys are rotated only the heads are made anew (`renew`), which needs neither the
value nor what it is about.

Short values that are written together, the columns of an upload's rows, share a value key, which is
wrapped once (`Vault.together`). Each has a nonce of its own, the number of the value:

    version (2) | key id (8) | number (8) | nonce (12) | wrapped value key (48)
    then one chunk: ciphertext and tag (16)

The data keys are in the database, wrapped under the site key, which is not (`zkpush.persist.keys`).
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
"""Bytes of the plain value in each chunk but the last."""
SINGLE, SHARED = b"\x01", b"\x02"
"""The first byte of a sealed value: whether its key is its own, or that of several values."""
ID_BYTES = 8
_NONCE_BYTES, _TAG_BYTES = 12, 16
_NUMBER = struct.Struct(">Q")
_SIZE_AT = len(SINGLE) + ID_BYTES
_NONCE_AT = _SIZE_AT + _NUMBER.size
_WRAPPED_AT = _NONCE_AT + _NONCE_BYTES
HEAD_BYTES = _WRAPPED_AT + KEY_BYTES + _TAG_BYTES
"""Bytes in front of the chunks."""
SEALED_CHUNK = CHUNK + _TAG_BYTES
PERSON = "person:"
"""How the pseudonym of a person begins; hexadecimal digits follow."""
_PERSON_BYTES = 10
_FIRST_NONCE = bytes(_NONCE_BYTES)
_BEFORE_NUMBER = bytes(_NONCE_BYTES - _NUMBER.size)
"""A number of eight bytes becomes the same nonce as by `_nonce`."""


@attrs.frozen
class DataKey:
    """A key that wraps the keys of values."""

    id: bytes
    secret: bytes = attrs.field(repr=False)
    cipher: AESGCM = attrs.field(init=False, repr=False, eq=False)
    """Made once: it takes as long as to seal a short value."""

    marks: tuple[bytes, bytes] = attrs.field(init=False, eq=False)
    """The first bytes of values sealed under it: of those with a key of their own, and of those
    that share one."""

    @cipher.default
    def _cipher(self) -> AESGCM:
        return AESGCM(self.secret)

    @marks.default
    def _marks(self) -> tuple[bytes, bytes]:
        return SINGLE + self.id, SHARED + self.id

    @classmethod
    def make(cls) -> DataKey:
        """A new one."""
        return cls(secrets.token_bytes(ID_BYTES), secrets.token_bytes(KEY_BYTES))


@attrs.frozen
class AuditKeys:
    """The keys of the audit log: for its hash chain, and for the pseudonyms of people."""

    chain: DataKey
    """Signs new rows and the head of the chain."""
    naming: bytes = attrs.field(repr=False)
    """Makes pseudonyms; the same after the keys are rotated."""
    retired: tuple[DataKey, ...] = ()
    """Keys that signed rows before a rotation; they only verify."""

    @classmethod
    def make(cls) -> AuditKeys:
        """New keys, for a new database."""
        return cls(DataKey.make(), DataKey.make().secret)

    def pseudonym(self, pin: str) -> str:
        """The name under which a person stands in the audit log.

        Only the holder of the key can tell the person from it, and only by trying all who may be.
        """
        digest = hmac.digest(self.naming, b"zkpush person\0" + pin.encode(), "sha256")
        return f"{PERSON}{digest[:_PERSON_BYTES].hex()}"


@attrs.frozen
class Vault:
    """Seals under one data key, opens what was sealed under any of them."""

    sealing: DataKey
    indexing: bytes = attrs.field(repr=False)
    retired: tuple[DataKey, ...] = ()
    """Data keys that were rotated away, as long as anything is sealed under them."""
    audit: AuditKeys = attrs.field(factory=AuditKeys.make)
    damage: DamageLog = attrs.field(factory=DamageLog, eq=False, repr=False)
    """Where readers report values that do not open."""
    _index: HMAC = attrs.field(init=False, eq=False, repr=False)
    """Of nothing yet, and copied for each value: that takes a third of the time of a new one."""

    @_index.default
    def _keyed_index(self) -> HMAC:
        return HMAC(self.indexing, SHA256())

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Encrypt a value bound to `about`, which is needed to open it.

        `about` names the row and the column, and is not in the result. The result goes into a
        column of bytes: key rotation finds it there.
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
        """A function like `seal` for values that are written together.

        They share a value key: a short value takes a fifth of the time. Long ones have their own.
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
        """Open a value; `NotUnsealed` unless it is whole, ours, and about the same."""
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
        """Open some bytes of a value, as many as there are, without reading the rest.

        `read` gives some of the sealed bytes, by place and number; there are `length` of them.
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
        """The index of what has this SHA-256."""
        index = self._index.copy()
        index.update(digest)
        return index.finalize()

    def renew(self, head: bytes) -> bytes:
        """The head of a value that is sealed under a retired key, under the one that seals now."""
        secret, nonce = self._unwrap(head), secrets.token_bytes(_NONCE_BYTES)
        if not head.startswith(SHARED):
            return _wrap(self.sealing, head[_SIZE_AT:_NONCE_AT], secret, nonce)
        mark = self.sealing.marks[1]
        wrapped = self.sealing.cipher.encrypt(nonce, secret, mark)
        return b"".join((mark, head[_SIZE_AT:_NONCE_AT], nonce, wrapped))

    def _begin(self, head: bytes, length: int) -> tuple[AESGCM, int, int]:
        """The cipher of a value, the nonce of its first chunk, and the bytes of the plain value."""
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
    """Bytes of a sealed value, from those of the plain one."""
    return HEAD_BYTES + size + _TAG_BYTES * _chunks(size)


def plain_length(length: int) -> int:
    """Bytes of a plain value, from those of the sealed one."""
    chunks = -(-(length - HEAD_BYTES) // SEALED_CHUNK)
    return max(0, length - HEAD_BYTES - _TAG_BYTES * chunks)


def wrap_key(site: bytes, secret: bytes, about: bytes) -> bytes:
    """Seal a data key under the site key."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(site).encrypt(nonce, secret, about)


def unwrap_key(site: bytes, wrapped: bytes, about: bytes) -> bytes:
    """Open a data key; `NotUnsealed` if it was not sealed under this site key."""
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
    """Where a chunk begins in the sealed value."""
    return HEAD_BYTES + number * SEALED_CHUNK
