"""A clock that tests turn, for a daemon that otherwise runs on the real reactor."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from zope.interface import implementer

from ..clock import IWallClock

NOON = 1_772_366_400
"""What the clock shows first: 2026-03-01T12:00:00Z, in seconds since the epoch."""


@implementer(IWallClock)
class TurnedReactor(Clock):
    """The real reactor with a time of its own, which stands still until `advance` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.rightNow = float(NOON)
        self.jumped = 0.0
        """Seconds by which the time of day was set, beside the passing of time."""

    def wall_seconds(self) -> float:
        """The time of day."""
        return self.seconds() + self.jumped

    def callLater(self, delay: float, *args: Any, **named: Any) -> IDelayedCall:
        """Schedule a call on this clock; one without a delay runs in the reactor's next turn."""
        clock: Any = super() if delay else reactor
        later: IDelayedCall = clock.callLater(delay, *args, **named)
        return later

    def __getattr__(self, name: str) -> object:
        return getattr(reactor, name)
