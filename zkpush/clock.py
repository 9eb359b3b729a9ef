"""Two clocks: one for durations, which nobody sets, and one for the time of day, which people do.

Timers, limits and allowances use `reactor.seconds()`. Twisted takes the time of day for it, so that
a clock that is set back by an hour would stop every timer for an hour: the daemon gives its reactor
a monotonic clock instead (`use_monotonic_time`). What is stored or shown is the time of day, from
`wall_clock`. `ClockWatch` compares the two.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import Interface

from .problems import ProblemCode, ServerProblem

LOOK_EVERY = 5.0
"""Seconds between two comparisons of the clocks."""
JUMP_SECONDS = 10.0
"""A smaller step is none: time servers make such."""
SHOWN_SECONDS = 24 * 3600.0
"""How long a jump is a problem."""


class IWallClock(Interface):
    """A reactor that brings a time of day of its own, for tests."""

    def wall_seconds() -> float:
        """Seconds since the epoch."""


def wall_clock(reactor: object) -> Callable[[], float]:
    """The time of day, in seconds since the epoch: the reactor's own if it brings one."""
    if IWallClock.providedBy(reactor):
        own: Callable[[], float] = reactor.wall_seconds
        return own
    return time.time


def use_monotonic_time(reactor: Any) -> None:
    """Let the timers of a reactor run by a clock that nobody sets.

    Before anything is scheduled. All processes of a machine share that clock.
    """
    reactor.seconds = time.monotonic


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


class ClockWatch:
    """Notices that the time of day jumps, and tells those who have stored instants."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._wall = wall_clock(clock)
        self._offset = self._wall() - clock.seconds()
        self._jumped: list[Callable[[], object]] = []
        self._last: Jump | None = None
        self._looking = LoopingCall(self.look)
        self._looking.clock = clock

    def add(self, jumped: Callable[[], object]) -> None:
        """Call `jumped` after each jump."""
        self._jumped.append(jumped)

    def start(self) -> None:
        """Begin to compare the clocks."""
        self._looking.start(LOOK_EVERY, now=False)

    def stop(self) -> None:
        """Compare no more."""
        if self._looking.running:
            self._looking.stop()

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
