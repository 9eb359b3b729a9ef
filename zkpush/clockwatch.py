"""Detection of jumps of the wall clock, by comparison with the monotonic clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs
from twisted.logger import Logger

from .clock import wall_clock
from .periodic import PeriodicService
from .phrases import Phrase, counted_phrase
from .problems import ProblemCode, ServerProblem

LOOK_EVERY = 5.0
"""Seconds between two comparisons of the clocks."""
JUMP_SECONDS = 10.0
"""Smallest step that counts as a jump, in seconds: time servers make smaller ones."""
SHOWN_SECONDS = 24 * 3600.0
"""Seconds for which a jump is listed as a problem."""


@attrs.frozen
class Jump:
    """A step of the wall clock."""

    seconds: float
    """Size of the step; negative if the clock was set back."""
    at: float
    """Time of detection, on the monotonic clock."""
    wall: float
    """Time of detection, on the wall clock after the jump."""

    @property
    def words(self) -> Phrase:
        """Describe the jump, for people."""
        by = round(abs(self.seconds))
        if self.seconds < 0:
            return counted_phrase(
                "The clock of the server was set back by %(num)s second",
                "The clock of the server was set back by %(num)s seconds",
                by,
            )
        return counted_phrase(
            "The clock of the server was set ahead by %(num)s second",
            "The clock of the server was set ahead by %(num)s seconds",
            by,
        )


class ClockWatch(PeriodicService):
    """Detects jumps of the wall clock, and calls back the services that store instants."""

    _log = Logger()

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self._wall = wall_clock(clock)
        self._offset = self._wall() - self._clock.seconds()
        self._jumped: list[Callable[[], object]] = []
        self._last: Jump | None = None
        self.every(LOOK_EVERY, self.look, Phrase("Jumps of the clock are not noticed"))

    def add(self, jumped: Callable[[], object]) -> None:
        """Call `jumped` after each jump."""
        self._jumped.append(jumped)

    def look(self) -> None:
        """Compare the clocks once."""
        now, wall = self._clock.seconds(), self._wall()
        before, self._offset = self._offset, wall - now
        seconds = self._offset - before
        if abs(seconds) < JUMP_SECONDS:
            return
        self._last = Jump(seconds, now, wall)
        self._log.warn("{words}", words=self._last.words)
        for jumped in self._jumped:
            try:
                jumped()
            except Exception:
                self._log.failure("Something did not follow a jump of the clock")

    def problems(self) -> Iterable[ServerProblem]:
        """Return the last jump as a problem, for one day."""
        last = self._last
        if last is not None and self._clock.seconds() - last.at < SHOWN_SECONDS:
            yield ServerProblem(
                code=ProblemCode.CLOCK_JUMPED,
                subject=Phrase("clock"),
                detail=Phrase("%(jump)s, or the machine was suspended", jump=last.words),
                since_at=int(last.wall * 1000),
            )
