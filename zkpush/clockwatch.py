"""Comparison of the two clocks (`zkpush.clock`): a jump of the time of day is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs
from twisted.logger import Logger

from .clock import wall_clock
from .periodic import PeriodicService
from .problems import ProblemCode, ServerProblem

LOOK_EVERY = 5.0
"""Seconds between two comparisons of the clocks."""
JUMP_SECONDS = 10.0
"""A smaller step is none: time servers make such."""
SHOWN_SECONDS = 24 * 3600.0
"""How long a jump is a problem."""


@attrs.frozen
class Jump:
    """A change of the time of day that was not the passing of time."""

    seconds: float
    """By how much; negative if it was set back."""
    at: float
    """When it was noticed, by the clock of durations."""
    wall: float
    """The same, by the time of day after it."""

    @property
    def words(self) -> str:
        """What happened, for people."""
        way = "back" if self.seconds < 0 else "ahead"
        return f"the clock of the server was set {way} by {abs(self.seconds):.0f} seconds"


class ClockWatch(PeriodicService):
    """Detects jumps of the time of day, and calls those back who have stored instants."""

    _log = Logger()

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self._wall = wall_clock(clock)
        self._offset = self._wall() - self._clock.seconds()
        self._jumped: list[Callable[[], object]] = []
        self._last: Jump | None = None
        self.every(LOOK_EVERY, self.look, "Jumps of the clock are not noticed")

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
        self._log.warn("{words}", words=self._last.words.capitalize())
        for jumped in self._jumped:
            try:
                jumped()
            except Exception:
                self._log.failure("Something did not follow a jump of the clock")

    def problems(self) -> Iterable[ServerProblem]:
        """The last jump, for a day."""
        last = self._last
        if last is not None and self._clock.seconds() - last.at < SHOWN_SECONDS:
            yield ServerProblem(
                code=ProblemCode.CLOCK_JUMPED,
                subject="clock",
                detail=f"{last.words.capitalize()}, or the machine was suspended",
                since_at=int(last.wall * 1000),
            )
