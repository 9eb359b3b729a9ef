"""The pushcommkeys that were offered for terminals (5), by their fingerprints.

Anybody can offer a key in a terminal's name. So the number of keys of a terminal is bounded, and
what came first is kept: once the list is full, a new key takes the place of the newest one only.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, func, insert, select, update

from ..model import OfferedKey
from .schema import comm_keys

MOST_OFFERED = 8
"""Keys of one terminal that are listed."""


class CommKeys:
    """The pushcommkeys that were offered for terminals (5): a bounded number of each."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, device_id: int) -> list[OfferedKey]:
        """List the keys of a terminal, in the order they were first seen."""
        return self.of_all([device_id]).get(device_id, [])

    def of_all(self, device_ids: Collection[int]) -> dict[int, list[OfferedKey]]:
        """Map terminals to the keys that were offered for them; those without one are left out."""
        query = (
            select(comm_keys)
            .where(comm_keys.c.device_id.in_(list(device_ids)))
            .order_by(comm_keys.c.first_seen_at, comm_keys.c.fingerprint)
        )
        found: dict[int, list[OfferedKey]] = {}
        for row in self._connection.execute(query):
            key = OfferedKey(row.fingerprint, row.address, row.first_seen_at, row.last_seen_at)
            found.setdefault(row.device_id, []).append(key)
        return found

    def offer(self, device_id: int, fingerprint: str, address: str | None, now: int) -> int:
        """Note that a key was offered; returns how many keys there are of the terminal."""
        of_device = comm_keys.c.device_id == device_id
        known = self._connection.execute(
            update(comm_keys)
            .where(of_device, comm_keys.c.fingerprint == fingerprint)
            .values(address=address, last_seen_at=now)
        )
        query = select(func.count()).select_from(comm_keys).where(of_device)
        count = int(self._connection.execute(query).scalar_one())
        if known.rowcount:
            return count
        if count >= MOST_OFFERED:
            newest = self.of(device_id)[-1].fingerprint
            self._connection.execute(
                delete(comm_keys).where(of_device, comm_keys.c.fingerprint == newest)
            )
            count -= 1
        self._connection.execute(
            insert(comm_keys).values(
                device_id=device_id,
                fingerprint=fingerprint,
                address=address,
                first_seen_at=now,
                last_seen_at=now,
            )
        )
        return count + 1

    def forget(self, device_id: int, but: str | None = None) -> None:
        """Drop the keys that were offered for a terminal, but for one."""
        some = comm_keys.c.device_id == device_id
        if but is not None:
            some &= comm_keys.c.fingerprint != but
        self._connection.execute(delete(comm_keys).where(some))
