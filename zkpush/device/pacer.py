"""A pace for what strangers ask for: it waits, and others are served meanwhile.

Theory of operation. A request of an approved terminal is never paced. Any other one takes a token;
there are so many a second, and some are saved. Without a token it waits in line, with nothing read
from its connection. However many strangers connect, they take no more from the terminals than so
many refusals a second. Recording a terminal costs more than to refuse one, and has a pace of its
own, with longer steps, so that those of one step share a commit.
"""

from __future__ import annotations

from typing import NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class Pace(NamedTuple):
    """How fast a line goes on."""

    per_second: int
    burst: int
    """How many may come at once before any has to wait."""
    step: float
    """Seconds between two looks at the line."""


REFUSALS = Pace(per_second=500, burst=200, step=0.02)
RECORDINGS = Pace(per_second=50, burst=100, step=0.2)


class RequestPacer:
    """Lets so many requests go on in a second, in the order they came."""

    def __init__(self, pace: Pace, clock: IReactorTime) -> None:
        self._pace = pace
        self._clock = clock
        self._tokens = float(pace.burst)
        self._at = clock.seconds()
        self._waiting: dict[Deferred[None], None] = {}
        self._is_scheduled = False

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> bool:
        """Take a token, if there is one and nobody waits for it."""
        if self._waiting:
            return False
        return self._take()

    def wait(self) -> Deferred[None]:
        """Wait for a token. A Deferred that is cancelled leaves the line."""
        waiting: Deferred[None] = Deferred(lambda gone: self._waiting.pop(gone, None))
        self._waiting[waiting] = None
        self._schedule()
        return waiting

    def _take(self) -> bool:
        now = self._clock.seconds()
        passed, self._at = max(0.0, now - self._at), now  # clocks are set back, too
        pace = self._pace
        self._tokens = min(float(pace.burst), self._tokens + passed * pace.per_second)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _go_on(self) -> None:
        while self._waiting and self._take():
            first = next(iter(self._waiting))
            del self._waiting[first]
            first.callback(None)
        self._is_scheduled = False
        if self._waiting:
            self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.callLater(self._pace.step, self._go_on)
