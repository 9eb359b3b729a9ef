"""The issuing of access data to the terminals of areas that distribute.

Theory of operation. The reconciler of areas knows the terminals of areas that distribute, when each
was last compared as a whole, and when it lost its data. A terminal is compared with the access data
of its area when that changes, when its area changes, and after each of these. All progress is in
the store, so another process goes on after a stop. Nothing is written while nothing has changed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from ...device.queue import CommandQueue
from ...device.registry import Registry
from ...interfaces import IStore
from ...periodic import PeriodicService
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ..areas.store import DistributionStore
from .issuing import (
    AccessIssuer,
    assign_again,
    compare_terminal,
    leave_terminal,
    lost_assignments,
    sendable,
)
from .model import IssuedTerminal
from .store import AccessStore, IssueStore

EVERY = 2.0
"""Seconds between looks."""
ENDED_AT_ONCE = 100
SENDINGS_AT_ONCE = 100
"""Units of work in one look that queue commands."""


@attrs.frozen
class _Differences:
    """Terminals that are to be compared, and those that have left."""

    changed: list[IssuedTerminal]
    left: list[IssuedTerminal]
    is_idle: bool
    """Whether no terminal has or needs anything."""


class AccessReconciler(PeriodicService):
    """Compares terminals with the access data of their areas, and sends what is missing."""

    _log = Logger()

    def __init__(self, store: IStore, queue: CommandQueue, registry: Registry, clock: Any) -> None:
        super().__init__(clock)
        self._store = store
        self._registry = registry
        self._queue = queue
        self._now = registry.now
        self._issuer = AccessIssuer(queue)
        self._turns = DeferredLock()
        self.every(EVERY, self.work, Phrase("Access data is not distributed"))

    async def work(self) -> None:
        """Follow what has changed, and send what is missing."""
        await self._turns.acquire()
        try:
            found = await self._store.read(_differences_thd)
            touched = {one.device_id for one in (*found.left, *found.changed)}
            for terminal in found.left:
                await self._store.write(partial(leave_terminal, terminal=terminal, now=self._now()))
            for terminal in found.changed:
                await self._store.write(
                    partial(compare_terminal, terminal=terminal, now=self._now())
                )
            if not found.is_idle:
                touched |= await self._settle()
                if await self._store.read(lost_assignments):
                    await self._store.write(partial(assign_again, now=self._now()))
                await self._send()
            if touched:
                for device in await self._store.read(lambda tx: tx[DeviceStore].with_keys(touched)):
                    self._registry.updated(device)
        finally:
            self._turns.release()

    async def _settle(self) -> set[int]:
        """Record outcomes; returns the terminals."""
        touched: set[int] = set()
        while ended := await self._store.read(lambda tx: tx[IssueStore].ended(ENDED_AT_ONCE)):
            await self._store.write(partial(self._issuer.settle, ended=ended, now=self._now()))
            touched |= {one.place.device_id for one in ended}
        return touched

    async def _send(self) -> None:
        """Queue commands, a few for each terminal in turn."""
        busy = await self._store.read(_sendable_thd)
        left = SENDINGS_AT_ONCE
        while busy and left > 0:
            for key in [*busy]:
                left -= 1
                queued = await self._store.write(
                    partial(self._issuer.send, device_id=key, now=self._now())
                )
                for command in queued:
                    self._queue.hurry(command.device, command.not_before_at)
                if not queued:
                    busy.remove(key)


def _differences_thd(tx: Transaction) -> _Differences:
    distributing = tx[DistributionStore].terminals()
    known = tx[IssueStore].terminals()
    if not distributing and not known:
        return _Differences([], [], is_idle=True)
    revisions = tx[AccessStore].revisions()
    emptied = tx[DistributionStore].emptied()
    changed = []
    for key, terminal in distributing.items():
        after = IssuedTerminal(
            device_id=key,
            area=terminal.area,
            revision=revisions.get(terminal.area, 0),
            compared_at=terminal.compared_at,
            emptied_at=emptied.get(key, 0),
        )
        before = known.get(key)
        if after != before and (before is not None or after.revision):
            changed.append(after)
    left = [one for key, one in known.items() if key not in distributing and one.area]
    return _Differences(changed, left, is_idle=not known and not changed)


def _sendable_thd(tx: Transaction) -> list[int]:
    """Return the terminals of areas that distribute that have something to be sent."""
    distributing = tx[DistributionStore].terminals()
    return [key for key in tx[IssueStore].busy() if key in distributing and sendable(tx, key)]
