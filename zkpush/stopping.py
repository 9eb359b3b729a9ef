"""A deadline for draining: the process ends a configured time after the signal to stop.

An unresponsive database, a plugin thread that never returns, and code that blocks the reactor can
each delay the end forever. So a separate thread waits for the deadline. If the process is still
running then, it logs the unfinished work and ends the process. No acknowledged data is lost, as
acknowledgements follow commits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from twisted.logger import Logger

GIVEN_UP = 1
"""Exit status of a process that gave up unfinished work."""
LOGGING_SECONDS = 2.0
"""Seconds allowed for logging the last line."""
FOR_WORKERS = 2.0
"""Seconds that a parent waits longer than its workers, which log their own unfinished work."""


class DrainDeadline:
    """Ends the process if it has not ended by the deadline."""

    _log = Logger()

    def __init__(
        self,
        seconds: float,
        pending: Callable[[], Sequence[str]],
        clean_up: Callable[[], object],
        end: Callable[[int], object] = os._exit,
    ) -> None:
        """`pending` describes unfinished work; it is called on another thread.

        `clean_up` is called before the end; its exceptions are ignored.
        """
        self._seconds = seconds
        self._pending = pending
        self._clean_up = clean_up
        self._end = end
        self._thread = threading.Thread(target=self._run_thd, name="zkpush end", daemon=True)

    def start(self) -> None:
        """Start the countdown; repeated calls have no effect."""
        if self._thread.ident is None:
            self._thread.start()

    def watch(self, *signals: int) -> None:
        """Start at these signals, even if the reactor is blocked; previous handlers still run."""
        for number in signals:
            before = signal.getsignal(number)

            def begin(number: int, frame: FrameType | None, before: object = before) -> None:
                self.start()
                if callable(before):
                    before(number, frame)

            signal.signal(number, begin)

    def _run_thd(self) -> None:
        threading.Event().wait(self._seconds)
        # Logging may hang as well.
        last = threading.Thread(target=self._give_up_thd, name="zkpush last words", daemon=True)
        last.start()
        last.join(LOGGING_SECONDS)
        self._end(GIVEN_UP)

    def _give_up_thd(self) -> None:
        try:
            pending = ", ".join(self._pending()) or "nothing that is known"
            self._log.critical(
                "The daemon did not stop within {seconds:g} seconds, and ends now; given up: "
                "{pending}. Nothing of it was acknowledged",
                seconds=self._seconds,
                pending=pending,
            )
        except Exception:
            self._log.failure("The daemon did not stop in time, and ends now")
        with contextlib.suppress(Exception):
            self._clean_up()


def counted(count: int, one: str, many: str) -> list[str]:
    """Describe a number of things; empty for 0."""
    return [f"{count} {one if count == 1 else many}"] if count else []
