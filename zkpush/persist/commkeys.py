"""The pushcommkeys offered for terminals (5), by fingerprint.

Anyone can offer a key in the name of a terminal, so the number of keys per terminal is bounded. The
earliest keys are kept: once the list is full, a new key replaces only the newest one. Exchanges
without a key share one further entry.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from ..values.keys import MOST_OFFERED, OfferedKey
from .schema import comm_keys

if TYPE_CHECKING:
    from .transaction import Transaction

_NO_KEY = ""
"""Fingerprint of exchanges without a key."""


class CommKeyStore:
    """Bounded lists of the pushcommkeys offered for terminals (5)."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def of(self, device_id: int) -> list[OfferedKey]:
        """List the keys of a terminal in the order in which they were first seen."""
        return self.of_all([device_id]).get(device_id, [])

    def of_all(self, device_ids: Collection[int]) -> dict[int, list[OfferedKey]]:
        """Map terminals to the keys offered for them; omits terminals without keys."""
        query = (
            select(comm_keys)
            .where(comm_keys.c.device_id.in_(list(device_ids)))
            .order_by(comm_keys.c.first_seen_at, comm_keys.c.fingerprint)
        )
        found: dict[int, list[OfferedKey]] = {}
        for row in self._connection.execute(query):
            fingerprint = row.fingerprint or None
            key = OfferedKey(fingerprint, row.address, row.first_seen_at, row.last_seen_at)
            found.setdefault(row.device_id, []).append(key)
        return found

    def offer(
        self, device_id: int, fingerprint: str | None, address: str | None, now: int
    ) -> tuple[int, bool]:
        """Record that a key, or none, was offered.

        Returns the number of keys listed for the terminal, and whether an exchange without a key is
        listed too.
        """
        of_device = comm_keys.c.device_id == device_id
        stored = _NO_KEY if fingerprint is None else fingerprint
        known = self._connection.execute(
            update(comm_keys)
            .where(of_device, comm_keys.c.fingerprint == stored)
            .values(address=address, last_seen_at=now)
        )
        offers = [key.fingerprint for key in self.of(device_id)]
        keys = [key for key in offers if key is not None]
        without = fingerprint is None or None in offers
        if known.rowcount:
            return len(keys), without
        if fingerprint is not None and len(keys) >= MOST_OFFERED:
            newest = keys.pop()
            self._connection.execute(
                delete(comm_keys).where(of_device, comm_keys.c.fingerprint == newest)
            )
        self._connection.execute(
            insert(comm_keys).values(
                device_id=device_id,
                fingerprint=stored,
                address=address,
                first_seen_at=now,
                last_seen_at=now,
            )
        )
        return len(keys) + (fingerprint is not None), without

    def forget(self, device_id: int, but: str | None = None) -> None:
        """Remove the keys offered for a terminal, except one."""
        some = comm_keys.c.device_id == device_id
        if but is not None:
            some &= comm_keys.c.fingerprint != but
        self._connection.execute(delete(comm_keys).where(some))
