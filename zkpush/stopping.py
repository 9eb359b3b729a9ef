"""An end to draining: whatever hangs, the process ends a configured time after it was told to.

A database that does not answer, a thread of a plugin that never returns, and code that blocks the
reactor can each hold up the end for ever. So a thread waits beside them. If the process is still
there when the time is over, it logs what is given up, and ends the process. Nothing that was
acknowledged is lost by that: acknowledgements follow commits.
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
"""The exit status of a process that gave something up."""
LOGGING_SECONDS = 2.0
"""How long the last line may take to be logged."""
FOR_WORKERS = 2.0
"""Seconds that a parent waits for longer: its workers say themselves what they give up."""


class DrainDeadline:
    """Ends the process if it does not end by itself in time."""

    _log = Logger()

    def __init__(
        self,
        seconds: float,
        pending: Callable[[], Sequence[str]],
        clean_up: Callable[[], object],
        end: Callable[[int], object] = os._exit,
    ) -> None:
        """`pending` returns what is not finished, in words; it is called on another thread.

        `clean_up` is called before the end; what it raises is ignored.
        """
        self._seconds = seconds
        self._pending = pending
        self._clean_up = clean_up
        self._end = end
        self._thread = threading.Thread(target=self._run_thd, name="zkpush end", daemon=True)

    def start(self) -> None:
        """Begin to wait; again is no harm."""
        if self._thread.ident is None:
            self._thread.start()

    def watch(self, *signals: int) -> None:
        """Begin at these signals, also if the reactor is blocked; what handled them still does."""
        for number in signals:
            before = signal.getsignal(number)

            def begin(number: int, frame: FrameType | None, before: object = before) -> None:
                self.start()
                if callable(before):
                    before(number, frame)

            signal.signal(number, begin)

    def _run_thd(self) -> None:
        threading.Event().wait(self._seconds)
        # Whatever the log is written to may hang as well.
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
    """A number of things in words; nothing for 0."""
    return [f"{count} {one if count == 1 else many}"] if count else []
