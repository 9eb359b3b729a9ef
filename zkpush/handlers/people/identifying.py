"""Questions to terminals that sent templates or photos of users whom they have not stated.

Such templates and photos are stored apart; see `contested`. Terminals usually state the users soon.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.logger import Logger

from ...device.intents import NotPossible
from ...device.modes import takes_commands
from ...device.queue import CommandQueue
from ...interfaces import IStore
from ...periodic import PeriodicService
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...values.commands import QueuedCommand
from .contested import ContestedParts
from .model import QueryPeople

EVERY = 30.0
"""Seconds between looks."""
PATIENCE = 5 * 60 * 1000
"""Milliseconds in which a terminal may state a user by itself."""
AT_ONCE = 500


class UserQuestions(PeriodicService):
    """Asks each of these terminals once for the user, or for all if several are unstated."""

    _log = Logger()

    def __init__(
        self, store: IStore, queue: CommandQueue, now: Callable[[], int], clock: Any
    ) -> None:
        """`now` returns milliseconds since the epoch."""
        super().__init__(clock)
        self._store = store
        self._queue = queue
        self._now = now
        self.every(EVERY, self.work, "Terminals are not asked who their users are")

    async def work(self) -> None:
        """Queue the questions that are due."""
        before = self._now() - PATIENCE
        due: dict[int, list[str]] = {}
        for key, pin in await self._store.read(
            lambda tx: tx[ContestedParts].to_ask(before, AT_ONCE)
        ):
            due.setdefault(key, []).append(pin)
        for key, pins in due.items():
            intent = QueryPeople(pins[0] if len(pins) == 1 else None)
            for command in await self._store.write(partial(self._ask_thd, key=key, intent=intent)):
                self._queue.hurry(command.device, command.not_before_at)

    def _ask_thd(self, tx: Transaction, key: int, intent: QueryPeople) -> list[QueuedCommand]:
        tx[ContestedParts].asked(key)
        device = tx[DeviceStore].get(key)
        try:
            if takes_commands(device):
                return list(self._queue.ask_thd(tx, device, intent, None, self._now()))
        except (NotPossible, ValueError):
            self._log.warn("Terminal {sn} cannot be asked for its users", sn=device.sn)
        return []
