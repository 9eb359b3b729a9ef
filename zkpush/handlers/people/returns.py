"""Deletions of erased people whom a terminal has uploaded again, or refused to delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from ...device.intents import NotPossible
from ...device.modes import takes_commands
from ...device.queue import CommandQueue
from ...device.queueing import Delivery
from ...interfaces import IStore
from ...periodic import PeriodicService
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...values.commands import QueuedCommand
from .erased import ErasedPeople
from .model import DeletePerson

EVERY = 2.0
"""Seconds between looks."""
AT_ONCE = 50
"""Deletions queued in one unit of work."""
HOWEVER_LATE = Delivery(expires_in=10 * 366 * 24 * 3600)
"""Delivery of the deletions: a terminal may have been out of use for years."""


class ErasedReturns(PeriodicService):
    """Queues the deletions; the user IDs are stored only until then."""

    _log = Logger()

    def __init__(
        self, store: IStore, queue: CommandQueue, now: Callable[[], int], clock: Any
    ) -> None:
        """`now` returns milliseconds since the epoch."""
        super().__init__(clock)
        self._store = store
        self._queue = queue
        self._now = now
        self.every(EVERY, self.work, Phrase("Erased people are not deleted from terminals"))

    async def work(self) -> None:
        """Queue the deletions that are due."""
        while await self._store.read(lambda tx: tx[ErasedPeople].is_any_pending(self._now())):
            for command in await self._store.write(self._queue_thd):
                self._queue.hurry(command.device, command.not_before_at)

    def _queue_thd(self, tx: Transaction) -> list[QueuedCommand]:
        now = self._now()
        queued: list[QueuedCommand] = []
        for one in tx[ErasedPeople].pending(AT_ONCE, now):
            device = tx[DeviceStore].get(one.device_id)
            intent = DeletePerson(one.pin)
            try:
                if takes_commands(device):
                    queued += self._queue.ask_thd(tx, device, intent, None, now, HOWEVER_LATE)
            except (NotPossible, ValueError):
                self._log.warn(
                    "Terminal {sn} has an erased person and cannot delete it", sn=device.sn
                )
            tx[ErasedPeople].queued(one)
        return queued
