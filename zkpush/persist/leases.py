"""Leases: which of several processes runs a background job."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import case, delete, or_, select

from .databases import insert
from .schema import leases

if TYPE_CHECKING:
    from .transaction import Transaction


class LeaseStore:
    """Leases of background jobs among several processes."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def hold(self, name: str, owner: str, until: int, now: int) -> bool:
        """Take or renew a lease, unless another process holds it; times are in milliseconds.

        The lease expires at `until`. It is free if it never existed, expired by `now` or was
        released, and always available to its owner. True means that `owner` holds it once the unit
        of work is committed. A lease of another owner that extends more than twice this length into
        the future is shortened to `until`, because a clock was set back.
        """
        statement = insert(self._connection, leases).values(name=name, owner=owner, until=until)
        # Made by a clock that was set back or is wrong; the owner stays, the end is shortened.
        is_far = leases.c.until > until + (until - now)
        is_free = or_(leases.c.owner == owner, leases.c.until <= now)
        taken = self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[leases.c.name],
                set_={"owner": case((is_free, owner), else_=leases.c.owner), "until": until},
                where=or_(is_free, is_far),
            ).returning(leases.c.owner)
        )
        return taken.scalar_one_or_none() == owner

    def holders(self, names: Collection[str], now: int) -> dict[str, str]:
        """Return the owners of the leases that are held now (ms), by name."""
        query = select(leases.c.name, leases.c.owner).where(
            leases.c.name.in_(names), leases.c.until > now
        )
        return {row.name: row.owner for row in self._connection.execute(query)}

    def release(self, name: str, owner: str) -> None:
        """Release a lease, if `owner` still holds it."""
        self._connection.execute(
            delete(leases).where(leases.c.name == name, leases.c.owner == owner)
        )

    def release_all(self) -> None:
        """Release all leases: no other process uses the database, so their owners are dead."""
        self._connection.execute(delete(leases))

    def forget(self, prefix: str, before: int) -> None:
        """Remove leases whose names begin with `prefix` and that expired before an instant (ms)."""
        self._connection.execute(
            delete(leases).where(
                leases.c.name.startswith(prefix, autoescape=True), leases.c.until < before
            )
        )
