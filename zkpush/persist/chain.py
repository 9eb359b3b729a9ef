"""The keyed hash chain of the audit log, as values: what links rows, and what seals the head.

Theory of operation. Each row has a MAC over its own content, its id and the MAC of the row before
it, under a key that is not in the database in the clear. A row that is changed, inserted, removed
or moved no longer fits to its neighbours. The head says where the chain starts (after the rows
that retention removed) and ends, and has a seal of its own, which cannot be computed from any row:
rows that are cut off at the end are missed. The chain does not detect that an older copy of rows
*and* head was restored together; `Head.words` is for noting the head elsewhere.

    MAC = key id (8) | HMAC-SHA256(key, label | JSON [MAC before, id, at, actor, …])
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator

import attrs
import msgspec

from .vault import AuditKeys, DataKey

HEAD = "audit"
"""The name of the one head there is."""
_ROW, _HEAD = b"zkpush audit row\0", b"zkpush audit head\0"


@attrs.frozen
class Row:
    """What a MAC is over."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    detail: str | None

    def mac(self, key: DataKey, before: bytes) -> bytes:
        """The MAC of the row after one with the MAC `before`; empty before the first row."""
        return _mac(key, _ROW, [before.hex(), *attrs.astuple(self)])


@attrs.frozen
class Head:
    """Where the chain starts and ends."""

    last_id: int = 0
    last_mac: bytes = b""
    start_id: int = 0
    """The last row that retention has removed; 0 if there is none."""
    start_mac: bytes = b""
    """Its MAC, which the first row that is there follows."""

    def seal(self, key: DataKey) -> bytes:
        """What shows that the head was written with the key."""
        return _mac(
            key, _HEAD, [self.last_id, self.last_mac.hex(), self.start_id, self.start_mac.hex()]
        )

    def is_sealed(self, seal: bytes, keys: Iterable[DataKey]) -> bool:
        """Whether this is the seal of the head, under one of the keys."""
        return any(hmac.compare_digest(self.seal(key), seal) for key in keys)

    @property
    def words(self) -> str:
        """The head as text, to be noted where nobody who can write to the database can."""
        return head_words(self.last_id, self.last_mac)


def head_words(id_: int, mac: bytes) -> str:
    """A place in the chain, as text."""
    return f"{id_}:{mac.hex()}"


def linked(key: DataKey, before: bytes, rows: Iterable[Row]) -> Iterator[bytes]:
    """The MACs of rows that follow one another."""
    for row in rows:
        before = row.mac(key, before)
        yield before


def is_linked(keys: AuditKeys, before: bytes, row: Row, mac: bytes) -> bool:
    """Whether a row has the right MAC, under the key that it names."""
    return any(
        hmac.compare_digest(row.mac(key, before), mac)
        for key in (keys.chain, *keys.retired)
        if mac.startswith(key.id)
    )


def _mac(key: DataKey, label: bytes, values: list[object]) -> bytes:
    return key.id + hmac.digest(key.secret, label + msgspec.json.encode(values), "sha256")
