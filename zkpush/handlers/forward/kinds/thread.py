"""A thread of its own for the deliveries of one forwarder that block: files and databases."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

T = TypeVar("T")


class StillBusy(Exception):
    """The thread has not ended an earlier job, which nobody waits for any more."""


class DeliveryThread:
    """Runs one job at a time; starts with the first one.

    It is a daemon thread: a file server that does not answer cannot keep the process from ending.
    """

    def __init__(self, reactor: Any, name: str) -> None:
        """`reactor` takes the results."""
        self._reactor = reactor
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._is_started = False
        self.is_busy = False
        """Whether a job runs, also one that was cancelled."""

    def run(self, job_thd: Callable[[], T]) -> Deferred[T]:
        """Run a job; the Deferred fails with its exception, or with `StillBusy`.

        A cancelled job runs to its end.
        """
        if self.is_busy:
            return fail(StillBusy("an earlier write has not ended yet"))
        self._start()
        self.is_busy = True
        result: Deferred[T] = Deferred()

        def run_thd() -> None:
            try:
                value: object = job_thd()
            except BaseException:
                value = Failure()
            self._reactor.callFromThread(self._ended, result, value)

        self._jobs.put(run_thd)
        return result

    def close(self, last_thd: Callable[[], object] = lambda: None) -> None:
        """End the thread after the current job; `last_thd` runs last."""
        if self._is_started:
            self._jobs.put(last_thd)
            self._jobs.put(None)

    def _start(self) -> None:
        if not self._is_started:
            self._is_started = True
            threading.Thread(target=self._work_thd, name=self._name, daemon=True).start()

    def _ended(self, result: Deferred[T], value: Any) -> None:
        self.is_busy = False
        result.callback(value)  # a Failure is an error

    def _work_thd(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
