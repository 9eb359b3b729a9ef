"""Writes of a worker under its lease, which also settle what was delivered since the last one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...interfaces import IStore
from ...manage.leasing import HeldLease, LeaseLost
from ...persist.transaction import Transaction
from .model import Attempt, DeadEvent, PendingBatch, StoredForwarder
from .queue import DeliveryQueue
from .store import ForwarderStore

LEASE_SECONDS = 20.0
"""After this time, another node takes over from one that has died."""
_PROGRESS = (
    "tries",
    "failing_since_at",
    "next_at",
    "last_error",
    "last_error_at",
    "last_delivered_at",
)


def lease_name(forwarder_id: int) -> str:
    """Return the name of the lease of a forwarder."""
    return f"forwarder {forwarder_id}"


class DeliveryLedger:
    """What a worker has done and not yet written, and its lease."""

    def __init__(
        self, store: IStore, clock: Any, now: Callable[[], int], owner: str, forwarder_id: int
    ) -> None:
        """`now` returns milliseconds since the epoch; `owner` names this process in leases."""
        self.lease = HeldLease(store, clock, now, owner, lease_name(forwarder_id), LEASE_SECONDS)
        self.forget()

    def forget(self) -> None:
        """Drop what is not written: it is void without the lease."""
        self.settled: list[PendingBatch] = []
        self.dead: list[DeadEvent] = []
        self.attempts: list[Attempt] = []
        self.delivered = 0

    async def write(
        self, stored: StoredForwarder, change: Callable[[Transaction], Any], *, begins: bool = False
    ) -> Any:
        """Run a unit of work under the lease; it settles what was delivered, too.

        `LeaseLost` if another node holds the lease, or may have held it since the last write; then
        nothing is written. With `begins`, the worker knows nothing yet that could be outdated.
        """
        settled, dead, attempts = self.settled, self.dead, self.attempts
        delivered = self.delivered
        progress = {name: getattr(stored, name) for name in _PROGRESS}

        def unit(tx: Transaction, now: int) -> Any:
            if settled or attempts:
                queue = tx[DeliveryQueue]
                queue.remove(stored.id, settled)
                queue.park(stored.id, dead, now)
                queue.note(stored.id, attempts)
                tx[ForwarderStore].write(stored.id, progress, delivered)
            return change(tx)

        self.forget()
        try:
            return await self.lease.write(unit, begins=begins)
        except LeaseLost:
            raise
        except BaseException:
            self.settled = [*settled, *self.settled]
            self.dead = [*dead, *self.dead]
            self.attempts = [*attempts, *self.attempts]
            self.delivered += delivered
            raise
