"""Old events are dropped, in the background, by one node at a time."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ..config import Events
from ..interfaces import IStore, ITransaction, StoreError

EVERY = 600.0
"""Seconds between two looks for old events."""
DAY = 24 * 3600 * 1000
PART = 2000
"""About the most events that are dropped in one unit of work, so that no upload waits for long."""


class Retention:
    """Drops what is older than configured."""

    _log = Logger()

    def __init__(self, store: IStore, config: Events, clock: IReactorTime, owner: str) -> None:
        """`owner` names this process."""
        self._store = store
        self._config = config
        self._clock = clock
        self._owner = owner
        self._loop = LoopingCall(self._drop)
        self._loop.clock = clock

    def start(self) -> None:
        """Begin to look, now and then."""
        self._loop.start(EVERY, now=False)

    def stop(self) -> None:
        """Look no more."""
        if self._loop.running:
            self._loop.stop()

    async def _drop(self) -> None:
        try:
            count = await self.drop()
        except StoreError as error:
            self._log.warn("Old events stay for now: {error}", error=str(error))
        except Exception:
            self._log.failure("Old events stay for now")
        else:
            if count:
                self._log.info("{count} old events are dropped", count=count)

    async def drop(self) -> int:
        """Drop what is old, unless another node does; how many events it was."""
        now = int(self._clock.seconds() * 1000)
        until, before = now + int(2 * EVERY * 1000), now - self._config.days * DAY

        def unit(tx: ITransaction) -> int:
            if not tx.leases.hold("events", self._owner, until, now):
                return 0
            return tx.events.forget(before, PART)

        total = dropped = await self._store.write(unit)
        while dropped >= PART:
            dropped = await self._store.write(unit)
            total += dropped
        return total
