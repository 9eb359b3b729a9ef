"""Keyed hash chain of the audit log: the MACs of rows and the seal of the head.

Theory of operation. The MAC of a row covers its content, its id and the MAC of the row before it.
The key is not stored in the database in the clear. A row that is changed, inserted, removed or
moved no longer matches its neighbours.

The head records where the chain starts (after the rows that retention removed) and ends. Its seal
cannot be computed from any row, so rows missing at the end are detected. The chain does not detect
the restoration of older rows together with the older head; note `Head.words` outside the database
to detect that.

    MAC = key id (8) | HMAC-SHA256(key, label | JSON [MAC before, id, at, actor, …])
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator

import attrs
import msgspec

from .vault import AuditKeys, DataKey

HEAD = "audit"
"""Name of the only head."""
_ROW, _HEAD = b"zkpush audit row\0", b"zkpush audit head\0"


@attrs.frozen
class Row:
    """Content of an audit row that its MAC covers."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    detail: str | None

    def mac(self, key: DataKey, before: bytes) -> bytes:
        """Return the MAC of the row. `before` is the MAC of the previous row, or empty."""
        return _mac(key, _ROW, [before.hex(), *attrs.astuple(self)])


@attrs.frozen
class Head:
    """Start and end of the chain."""

    last_id: int = 0
    last_mac: bytes = b""
    start_id: int = 0
    """Id of the last row that retention removed; 0 if there is none."""
    start_mac: bytes = b""
    """MAC of that row, which the first remaining row continues."""

    def seal(self, key: DataKey) -> bytes:
        """Return the seal, which proves that the head was written with the key."""
        return _mac(
            key, _HEAD, [self.last_id, self.last_mac.hex(), self.start_id, self.start_mac.hex()]
        )

    def is_sealed(self, seal: bytes, keys: Iterable[DataKey]) -> bool:
        """Whether `seal` is the seal of this head under one of the keys."""
        return any(hmac.compare_digest(self.seal(key), seal) for key in keys)

    @property
    def words(self) -> str:
        """The head as text (`ID:MAC`), to be noted outside the database."""
        return head_words(self.last_id, self.last_mac)


def head_words(id_: int, mac: bytes) -> str:
    """Format a position in the chain as text (`ID:MAC`)."""
    return f"{id_}:{mac.hex()}"


def linked(key: DataKey, before: bytes, rows: Iterable[Row]) -> Iterator[bytes]:
    """Return the MACs of consecutive rows."""
    for row in rows:
        before = row.mac(key, before)
        yield before


def is_linked(keys: AuditKeys, before: bytes, row: Row, mac: bytes) -> bool:
    """Whether a row has the right MAC, under the key that the MAC names."""
    return any(
        hmac.compare_digest(row.mac(key, before), mac)
        for key in (keys.chain, *keys.retired)
        if mac.startswith(key.id)
    )


def _mac(key: DataKey, label: bytes, values: list[object]) -> bytes:
    return key.id + hmac.digest(key.secret, label + msgspec.json.encode(values), "sha256")
