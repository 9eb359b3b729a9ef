"""Removal of old events, audit records and commands, by one node at a time."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..clock import wall_clock
from ..interfaces import IStore
from ..periodic import PeriodicService
from ..persist.audit import AuditStore
from ..persist.commandhistory import CommandHistory
from ..persist.events import EventStore
from ..persist.leases import LeaseStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..settings.features import AuditRetention, Commands, Events

EVERY = 600.0
"""Seconds between two runs."""
DAY = 24 * 3600 * 1000
PART = 2000
"""Approximate maximum of rows removed in one unit of work, so that no upload waits long."""
BODY_PART = 200
"""Maximum number of commands whose bodies one unit of work removes: each is encrypted again."""
Removal = Callable[[Transaction], int]
"""Removes at most `PART` rows; returns their number."""


class Retention(PeriodicService):
    """Removes data that is older than the configured retention."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        events: Events,
        audit: AuditRetention,
        commands: Commands,
        clock: IReactorTime,
        owner: str,
    ) -> None:
        """`owner` names this process."""
        super().__init__(clock)
        self._store = store
        self._events = events
        self._audit = audit
        self._commands = commands
        self._wall = wall_clock(clock)
        self._owner = owner
        jobs: dict[Phrase, Callable[[], Awaitable[int]]] = {
            Phrase("events"): self.drop,
            Phrase("rows of the audit log"): self.drop_audit,
            Phrase("commands"): self.drop_commands,
            Phrase("parameters and results of commands"): self.drop_bodies,
        }
        for what, remove in jobs.items():
            run = functools.partial(self._remove, what, remove)
            self.every(EVERY, run, Phrase("Old %(what)s stay for now", what=what))

    async def _remove(self, what: str, remove: Callable[[], Awaitable[int]]) -> None:
        count = await remove()
        if count:
            self._log.info("{count} old {what} are removed", count=count, what=what)

    async def drop(self) -> int:
        """Remove old events, unless another node does; return their number."""
        before = self._now() - self._events.days * DAY
        return await self._in_parts("events", lambda tx: tx[EventStore].forget(before, PART))

    async def drop_audit(self) -> int:
        """Remove old rows of the audit log, unless another node does; return their number.

        `StoreError` if the rows have been tampered with.
        """
        days = self._audit.keep_days
        if days is None:
            return 0
        now = self._now()
        before, setting = now - days * DAY, f"audit.keep_days = {days}"
        return await self._in_parts(
            "audit log", lambda tx: tx[AuditStore].forget(before, PART, setting, now)
        )

    async def drop_commands(self) -> int:
        """Remove commands that ended long ago, unless another node does; return their number."""
        days = self._commands.keep_days
        if days is None:
            return 0
        before = self._now() - days * DAY
        return await self._in_parts(
            "commands", lambda tx: tx[CommandHistory].remove_ended(before, PART), PART
        )

    async def drop_bodies(self) -> int:
        """Remove parameters and results of commands that ended long ago; return their number."""
        days = self._commands.keep_bodies_days
        if days is None:
            return 0
        now = self._now()
        before = now - days * DAY
        return await self._in_parts(
            "bodies of commands",
            lambda tx: tx[CommandHistory].remove_bodies(before, BODY_PART, now),
            BODY_PART,
        )

    async def _in_parts(self, lease: str, remove: Removal, part: int = PART) -> int:
        now = self._now()
        until = now + int(2 * EVERY * 1000)

        def unit(tx: Transaction) -> int:
            return remove(tx) if tx[LeaseStore].hold(lease, self._owner, until, now) else 0

        total = removed = await self._store.write(unit)
        while removed >= part:
            removed = await self._store.write(unit)
            total += removed
        return total

    def _now(self) -> int:
        return int(self._wall() * 1000)
