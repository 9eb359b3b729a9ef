"""Leases that a process holds over time: for a forwarder, or for services with `Role.DATABASE`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import DeferredLock

from ..interfaces import IStore
from ..periodic import PeriodicService
from ..persist.leases import LeaseStore
from ..persist.transaction import Transaction
from ..phrases import Phrase

T = TypeVar("T")

LEASE_SECONDS = 60.0
"""Time after which another process takes over the services of one that has died."""
RENEW_SECONDS = 20.0
"""Seconds between renewals, and between attempts to take the lease of another process."""


class LeaseLost(Exception):
    """Another process holds the lease now, or may have held it in the meantime."""


class HeldLease:
    """A lease that is taken and renewed by units of work."""

    def __init__(
        self,
        store: IStore,
        clock: Any,
        now: Callable[[], int],
        owner: str,
        name: str,
        seconds: float,
    ) -> None:
        """`now` returns milliseconds since the epoch; `owner` names this process."""
        self._store = store
        self._clock = clock
        self._now = now
        self._owner = owner
        self._length = seconds
        self._until = 0.0
        self.name = name

    @property
    def seconds_left(self) -> float:
        """Seconds for which this process certainly holds the lease, by the monotonic clock."""
        return self._until - float(self._clock.seconds())

    async def write(self, unit: Callable[[Transaction, int], T], *, begins: bool = False) -> T:
        """Run a unit of work that renews the lease first; `unit` also takes the time (ms).

        `LeaseLost` if another process holds the lease, or may have held it since the last write;
        then nothing is written. With `begins`, the caller knows nothing that could be outdated.
        """
        if not begins and self.seconds_left <= 0:
            raise LeaseLost
        started, now = float(self._clock.seconds()), self._now()
        until = now + int(1000 * self._length)

        def write(tx: Transaction) -> T:
            if not tx[LeaseStore].hold(self.name, self._owner, until, now):
                raise LeaseLost
            return unit(tx, now)

        try:
            result = await self._store.write(write)
        except LeaseLost:
            self._until = 0.0
            raise
        self._until = started + self._length
        return result

    def release_thd(self, tx: Transaction) -> None:
        """Release the lease, if this process still holds it."""
        tx[LeaseStore].release(self.name, self._owner)


class Leadership(PeriodicService):
    """Keeps the lease of the services of one capability, and releases it at a stop."""

    def __init__(
        self, store: IStore, clock: Any, now: Callable[[], int], owner: str, capability: str
    ) -> None:
        super().__init__(clock)
        name = f"services of {capability}"
        self._store = store
        self._lease = HeldLease(store, clock, now, owner, name, LEASE_SECONDS)
        self._turns = DeferredLock()
        self._next = float("-inf")
        """Monotonic time of the next attempt to take or renew the lease."""
        # Also renews it during a run that takes longer than the lease.
        self.every(RENEW_SECONDS, self.hold, Phrase("The lease of services is not renewed"))

    async def hold(self) -> bool:
        """Return whether this process holds the lease; take or renew it if that is due.

        `StoreError` if the database cannot be used.
        """
        await self._turns.acquire()
        try:
            if self._clock.seconds() >= self._next:
                await self._renew()
        finally:
            self._turns.release()
        return self._lease.seconds_left > 0

    async def _renew(self) -> None:
        with contextlib.suppress(LeaseLost):
            await self._lease.write(lambda tx, now: None, begins=True)
        self._next = self._clock.seconds() + RENEW_SECONDS

    async def finish(self) -> None:
        """Release the lease, so that another process takes over at once."""
        if self._lease.seconds_left > 0:
            await self._store.write(self._lease.release_thd)
