"""A clock that tests advance, for a daemon that otherwise runs on the real reactor."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from zope.interface import implementer

from ..clock import IWallClock

NOON = 1_772_366_400
"""Initial time of the clock: 2026-03-01T12:00:00Z, in seconds since the epoch."""
SHORT = 0.005
"""Seconds. The real reactor makes calls with a shorter delay: tests do not advance the clock for
them."""


@implementer(IWallClock)
class TurnedReactor(Clock):
    """The real reactor with a time of its own, which changes only by `advance`."""

    def __init__(self) -> None:
        super().__init__()
        self.rightNow = float(NOON)
        self.jumped = 0.0
        """Seconds by which the time of day was set, in addition to the passing of time."""

    def wall_seconds(self) -> float:
        """Return the time of day, in seconds since the epoch."""
        return self.seconds() + self.jumped

    def callLater(self, delay: float, *args: Any, **named: Any) -> IDelayedCall:
        """Schedule a call on this clock, or on the real reactor if the delay is below `SHORT`."""
        clock: Any = reactor if delay < SHORT else super()
        later: IDelayedCall = clock.callLater(delay, *args, **named)
        return later

    def __getattr__(self, name: str) -> object:
        return getattr(reactor, name)
