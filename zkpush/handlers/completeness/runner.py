"""Carries out counts: asks terminals a few at a time, and plans the nights."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from ...device.queue import CommandQueue
from ...device.registry import Registry
from ...interfaces import IStore
from ...model import Device
from ...periodic import PeriodicService
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from .model import CompletenessOverview
from .nights import DAY, NightPlanner
from .settings import Completeness
from .steps import CountStep, CountSteps, update_problem
from .store import CountStore

EVERY = 2.0
"""Seconds between looks for answers and for terminals to ask."""
PLAN_EVERY = 60.0
REMOVE_EVERY = 600.0
READ_EVERY = 60.0
AT_ONCE = 100
"""Maximum number of counts that one look goes on with."""
PLANNED_AT_ONCE = 20
"""Maximum number of terminals planned in one unit of work."""
REMOVED_AT_ONCE = 1000
"""Maximum number of counts removed in one unit of work."""
LOOKED_AT = 500
"""Terminals read at once to find connected ones."""


@attrs.frozen
class _Due:
    """Counts to go on with, by their ids."""

    answered: list[int]
    overdue: list[int]


class CompletenessRunner(PeriodicService):
    """Goes on with the counts in the store."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        queue: CommandQueue,
        settings: Completeness,
        chance: Callable[[], float],
        clock: Any,
    ) -> None:
        """`chance` returns a random number from 0 to 1."""
        super().__init__(clock)
        self._store = store
        self._registry = registry
        self._queue = queue
        self._settings = settings
        self._steps = CountSteps(queue.writer, registry.families, settings.at_once)
        self._planner = NightPlanner(settings, chance)
        self._turns = DeferredLock()
        self.every(EVERY, self.work, Phrase("Attendance records are not compared"))
        self.every(PLAN_EVERY, self.plan, Phrase("Attendance records are not compared at night"))
        self.every(REMOVE_EVERY, self.remove_old, Phrase("Old comparisons stay for now"))

    def begin(self) -> None:
        """Start with new counts, without waiting for them, if jobs run in this process.

        Otherwise another process finds them at its next look.
        """
        if self.running:
            Deferred.fromCoroutine(self._begin()).addErrback(
                lambda failure: self._log.failure("Records are not compared for now", failure)
            )

    async def _begin(self) -> None:
        if await self.may_run():
            await self.work()

    async def work(self) -> None:
        """Go on with all counts that are due."""
        await self._turns.acquire()
        try:
            await self._work()
        finally:
            self._turns.release()

    async def _work(self) -> None:
        now = self._registry.now()
        due = await self._store.read(lambda tx: _due_thd(tx, now))
        for step, ids in ((self._steps.settle, due.answered), (self._steps.give_up, due.overdue)):
            for count_id in ids:
                await self._write(functools.partial(step, count_id=count_id, now=now))
        await self._ask(now)

    async def _ask(self, now: int) -> None:
        """Ask connected terminals, up to the number that may be asked at once."""
        terminals, asked = await self._store.read(
            lambda tx: (tx[CountStore].terminals_waiting(now), tx[CountStore].terminals_asked())
        )
        free = self._settings.at_once - len(asked)
        waiting = [key for key in terminals if key not in asked]
        for start in range(0, len(waiting), LOOKED_AT):
            if free <= 0:
                return
            keys = waiting[start : start + LOOKED_AT]
            for key in await self._online(keys):
                if free <= 0:
                    return
                step = functools.partial(self._steps.ask, device_id=key, now=now)
                free -= (await self._write(step)).hurried is not None

    async def _online(self, keys: list[int]) -> list[int]:
        """Return the connected ones of some terminals, in their order."""
        found = await self._store.read(lambda tx: tx[DeviceStore].with_keys(keys))
        online = {device.id for device in found if self._registry.is_online(device)}
        return [key for key in keys if key in online]

    async def _write(self, step: Callable[[Transaction], CountStep]) -> CountStep:
        try:
            outcome = await self._store.write(step)
        except LookupError:  # the terminal was removed
            return CountStep()
        if outcome.changed is not None:
            self._registry.updated(outcome.changed)
        if outcome.hurried is not None:
            self._queue.hurry(outcome.hurried, None)
        return outcome

    async def plan(self) -> None:
        """Plan the counts of terminals whose night has begun."""
        if not self._settings.nightly:
            return
        now = self._registry.now()
        due = await self._store.read(lambda tx: self._planner.due_thd(tx, now))
        for start in range(0, len(due), PLANNED_AT_ONCE):
            part = due[start : start + PLANNED_AT_ONCE]

            def unit(tx: Transaction, part: list[tuple[int, str, str, int]] = part) -> None:
                for device_id, timezone, night, end in part:
                    self._planner.plan(tx, device_id, timezone, night, end, now)

            await self._store.write(unit)

    async def remove_old(self) -> int:
        """Remove outcomes older than the retention; return their number."""
        if self._settings.keep_days is None:
            return 0
        now = self._registry.now()
        before = now - self._settings.keep_days * DAY

        def unit(tx: Transaction) -> tuple[int, list[Device]]:
            short = tx[CountStore].terminals_short()
            removed = tx[CountStore].remove_old(before, REMOVED_AT_ONCE)
            if not removed:
                return 0, []
            known = tx[DeviceStore].with_keys(short)
            updated = [update_problem(tx, device, now) for device in known]
            return removed, [device for device in updated if device is not None]

        total = 0
        while True:
            removed, changed = await self._store.write(unit)
            for device in changed:
                self._registry.updated(device)
            total += removed
            if removed < REMOVED_AT_ONCE:
                return total


class CompletenessSurvey(PeriodicService):
    """Numbers for metrics, read from the store."""

    def __init__(self, store: IStore, clock: Any) -> None:
        super().__init__(clock)
        self._store = store
        self.overview = CompletenessOverview()
        """The numbers, at most a minute old."""
        self.every(READ_EVERY, self.read, Phrase("The numbers of completeness are old"))

    async def read(self) -> None:
        """Read the numbers."""
        self.overview = await self._store.read(lambda tx: tx[CountStore].overview())


def _due_thd(tx: Transaction, now: int) -> _Due:
    counts = tx[CountStore]
    return _Due(counts.answered(AT_ONCE), counts.overdue(now, AT_ONCE))
