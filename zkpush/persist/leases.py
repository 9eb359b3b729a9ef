"""Leases: who of several processes does a background job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, delete, or_

from .databases import insert
from .schema import leases

if TYPE_CHECKING:
    from .transaction import Transaction


class LeaseStore:
    """Which of several processes does a background job."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def hold(self, name: str, owner: str, until: int, now: int) -> bool:
        """Take or renew a lease, unless somebody else has it; times are in milliseconds.

        It runs out at `until`; it can be taken if it has never been, has run out by `now`, was
        given back, or is the owner's already. True means that it is the owner's once the unit of
        work is committed. A lease of somebody else that lies farther in the future than two of this
        length is cut to this one: a clock was set back.
        """
        statement = insert(self._connection, leases).values(name=name, owner=owner, until=until)
        # Of a clock that was set back, or is wrong: it stays its owner's, and gets an end.
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

    def release(self, name: str, owner: str) -> None:
        """Give a lease back, if it is still the owner's."""
        self._connection.execute(
            delete(leases).where(leases.c.name == name, leases.c.owner == owner)
        )

    def forget(self, prefix: str, before: int) -> None:
        """Remove leases whose names begin with `prefix` and that ran out before an instant (ms)."""
        self._connection.execute(
            delete(leases).where(
                leases.c.name.startswith(prefix, autoescape=True), leases.c.until < before
            )
        )
