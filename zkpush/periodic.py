"""Base class of services with periodic jobs.

A job survives errors, never overlaps itself, and finishes its current run at a stop. An error is
logged when it begins and when it ends, not at each run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import attrs
from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from .clock import wall_clock
from .interfaces import StoreError
from .phrases import Phrase
from .problems import ProblemCode, ServerProblem

MOST_KINDS = 20
"""Maximum number of error kinds that are told apart in one series of failures."""
Run = Callable[[], object]
"""A function, or one that returns a coroutine or a Deferred."""


class PeriodicService(Service):
    """A service with jobs, which `every` declares.

    A subclass overrides `finish` for work that is left once the jobs have stopped.
    """

    _log = Logger()

    def __init__(self, clock: Any) -> None:
        """`clock` is the `IReactorTime` that schedules the jobs."""
        self._clock = IReactorTime(clock)
        self._jobs: list[_Job] = []
        self._condition: Callable[[], Awaitable[bool]] | None = None

    def run_if(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Skip each run of a job for which `condition` returns false."""
        self._condition = condition

    async def may_run(self) -> bool:
        """Return whether jobs run in this process now; `StoreError` if that is unknown."""
        return self._condition is None or await self._condition()

    def every(self, seconds: float, run: Run, trouble: str, *, now: bool = False) -> None:
        """Declare a job that runs every `seconds` seconds; with `now`, at the start as well.

        The interval is counted from the start of a run; a run that takes longer is followed by the
        next one at the next multiple. `trouble` describes the consequence of an error, for the log.
        """

        async def run_if_allowed() -> None:
            if await self.may_run():
                await maybeDeferred(run)

        self._jobs.append(_Job(seconds, run_if_allowed, trouble, now, self._log, self._clock))

    def startService(self) -> None:
        """Start the jobs."""
        super().startService()
        for job in self._jobs:
            job.start()

    def stopService(self) -> Deferred[None]:
        """Stop the jobs, wait for current runs, then finish."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await gatherResults([job.stop() for job in self._jobs])
        try:
            await self.finish()
        except StoreError as error:
            self._log.warn(
                "{part} could not store the rest: {error}",
                part=type(self).__name__,
                error=str(error),
            )
        except Exception:
            self._log.failure("{part} could not finish", part=type(self).__name__)

    async def finish(self) -> None:
        """Do the remaining work after the jobs have stopped; an error of it is logged."""

    def job_problems(self) -> Iterable[ServerProblem]:
        """Return the jobs that fail, except for store errors, which the health check reports."""
        for job in self._jobs:
            if job.error is not None:
                yield ServerProblem(
                    code=ProblemCode.JOB_FAILING,
                    subject=Phrase("job %(name)s", name=type(self).__name__),
                    detail=Phrase("%(trouble)s: %(error)s", trouble=job.trouble, error=job.error),
                    since_at=job.failing_since_at,
                )


@attrs.define(eq=False)
class _Job:
    """One job, and its errors since the last success."""

    seconds: float
    run: Run
    trouble: str
    now: bool
    log: Logger
    clock: IReactorTime
    error: str | None = None
    """Class name of the last error, unless it was a store error."""
    failing_since_at: int = 0
    _kinds: set[str] = attrs.field(factory=set)
    _loop: LoopingCall | None = None
    _stopped: Deferred[Any] | None = None

    def start(self) -> None:
        """Start the job unless it is started."""
        if self._loop is not None:
            return
        self._loop = LoopingCall(self._run)
        self._loop.clock = self.clock
        self._stopped = self._loop.start(self.seconds, now=self.now)

    def stop(self) -> Deferred[Any]:
        """Schedule no more runs; the Deferred fires when the current run has ended."""
        loop, stopped = self._loop, self._stopped
        self._loop = self._stopped = None
        if loop is None or stopped is None:
            return succeed(None)
        loop.stop()
        return stopped

    def _run(self) -> Deferred[Any]:
        return maybeDeferred(self.run).addCallbacks(self._succeeded, self._failed)

    def _succeeded(self, _: object) -> None:
        self.error = None
        if self._kinds:
            self._kinds.clear()
            self.log.info("{trouble}: solved", trouble=self.trouble)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        is_store = isinstance(error, StoreError)
        kind = str(error) if is_store else type(error).__name__
        if not is_store:
            if self.error is None:
                self.failing_since_at = int(1000 * wall_clock(self.clock)())
            self.error = type(error).__name__
        if kind in self._kinds or len(self._kinds) >= MOST_KINDS:
            return
        self._kinds.add(kind)
        if is_store:
            self.log.warn("{trouble}: {error}", trouble=self.trouble, error=kind)
        else:
            self.log.failure("{trouble}", failure, trouble=self.trouble)
