"""Carries out jobs: queues their commands in parts, a wave at a time, and cancels them.

Theory of operation. A job is stored with its terminals before its caller is answered. Each part of
the work is prepared on a thread of the store, where commands are validated and encrypted, and is
then written in a short unit of work of its own, together with the progress of its terminals. So no
upload waits long for a job, and a killed process leaves no command queued twice or left out: the
next run continues with what is stored. Several processes may work at one job, because a part is
written only if its terminals have not changed since it was prepared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ...device.life import LifeEvent, happen
from ...device.queue import DAY, CommandQueue
from ...device.registry import Registry
from ...interfaces import IStore
from ...periodic import PeriodicService
from ...persist.commandjobs import JobCommands
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...settings.features import Commands
from .model import Job, JobState
from .parts import Hurried, JobPart, JobPartMaker
from .store import JobStore
from .waves import choose_thd

EVERY = 5.0
"""Seconds between looks for work that is due."""
REMOVE_EVERY = 600.0
"""Seconds between removals of old jobs."""
REMOVED_AT_ONCE = 50
"""Maximum number of jobs removed in one unit of work."""
CANCELLED_AT_ONCE = 20
"""Maximum number of commands cancelled in one unit of work."""


@attrs.frozen
class _Step:
    """Outcome of a step: whether there is more to do now, and terminals with new commands."""

    is_more: bool
    hurried: Sequence[Hurried] = ()


_NOTHING = _Step(is_more=False)


class JobRunner(PeriodicService):
    """Carries out the jobs in the store, the most urgent first."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        queue: CommandQueue,
        config: Commands,
        clock: Any,
    ) -> None:
        super().__init__(clock)
        self._keep_days = config.keep_days
        self._lifetime = config.lifetime_days * DAY
        self._store = store
        self._registry = registry
        self._queue = queue
        self._maker = JobPartMaker(queue.writer, clock.seconds)
        self._run: Deferred[None] | None = None
        self._is_again = False
        self._is_ended = False
        self.every(EVERY, self.work, Phrase("Jobs are not carried on"), now=True)
        self.every(REMOVE_EVERY, self.remove_old, Phrase("Old jobs stay for now"))

    def stopService(self) -> Deferred[None]:
        """Stop after the current step."""
        self._is_ended = True
        return super().stopService()

    def startService(self) -> None:
        """Start, and go on with unfinished jobs."""
        self._is_ended = False
        super().startService()

    async def finish(self) -> None:
        """Wait for the current step."""
        if self._run is not None:
            await self._waited()

    def begin(self) -> None:
        """Start to carry out new jobs, without waiting for them."""
        if not self._is_ended:
            Deferred.fromCoroutine(self.work()).addErrback(
                lambda failure: self._log.failure("Jobs are not carried on for now", failure)
            )

    async def remove_old(self) -> int:
        """Remove jobs that ended long ago, and whose commands are removed; return their number."""
        if self._keep_days is None:
            return 0
        before = self._registry.now() - self._keep_days * DAY
        return await self._store.write(lambda tx: tx[JobStore].remove_old(before, REMOVED_AT_ONCE))

    async def work(self) -> None:
        """Do all work that is due; a second call waits for the first."""
        if self._run is not None:
            self._is_again = True
            await self._waited()
            return
        self._run = Deferred()
        try:
            await self._work()
        finally:
            run, self._run = self._run, None
            run.callback(None)

    async def _waited(self) -> None:
        waiting: Deferred[None] = Deferred()
        assert self._run is not None  # noqa: S101 - for mypy
        self._run.chainDeferred(waiting)
        await waiting

    async def _work(self) -> None:
        is_more = True
        while is_more and not self._is_ended:
            self._is_again = False
            jobs = await self._store.read(lambda tx: tx[JobStore].unfinished())
            self._maker.keep({job.id for job in jobs})
            is_more = False
            for job in jobs:
                if await self._step(job):
                    is_more = True
                    break
            is_more = is_more or self._is_again

    async def _step(self, job: Job) -> bool:
        """Carry out one part of a job; False if nothing is due now."""
        now = self._registry.now()
        if job.state is JobState.CANCELLING:
            return await self._store.write(lambda tx: _cancel(tx, job, now))
        part = await self._store.read(lambda tx: self._maker.make_thd(tx, job, now))
        if part is None:
            lifetime = self._lifetime
            return await self._store.write(lambda tx: choose_thd(tx, job, now, lifetime))
        step = await self._store.write(lambda tx: self._write(tx, job, part, now))
        for sn, not_before_at in step.hurried:
            self._queue.hurry(sn, not_before_at)
        return step.is_more

    def _write(self, tx: Transaction, job: Job, part: JobPart, now: int) -> _Step:
        present = tx[JobStore].get(job.id, locked=True)
        if present is None or present.state is not JobState.QUEUEING:
            return _NOTHING
        return _Step(is_more=True, hurried=self._maker.write(tx, present, part, now))


def _cancel(tx: Transaction, job: Job, now: int) -> bool:
    """Cancel some open commands of a job; False if none is left."""
    if (present := tx[JobStore].get(job.id, locked=True)) is None:
        return False
    if present.state is not JobState.CANCELLING:
        return False
    found = tx[JobCommands].opened(job.id, CANCELLED_AT_ONCE)
    for command in found:
        happen(tx, command, LifeEvent.CANCELLED, now)
    if not found:
        tx[JobStore].change(job, JobState.CANCELLED, now)
    return bool(found)
