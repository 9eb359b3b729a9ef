"""Rate limit for requests of strangers, which wait while others are served.

Theory of operation. Requests of approved terminals are never paced. Any other request takes a token
from a bucket that refills at a fixed rate. Without a token, it waits in a queue, while nothing is
read from its connection. However many strangers connect, they cost the terminals no more than that
number of refusals a second. Recording a terminal costs more than a refusal, so it has a slower pace
with longer steps; the recordings of one step share a commit.
"""

from __future__ import annotations

from typing import NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class Pace(NamedTuple):
    """Rate of a queue."""

    per_second: int
    burst: int
    """Number of requests that may proceed at once before any has to wait."""
    step: float
    """Seconds between checks of the queue."""


REFUSALS = Pace(per_second=500, burst=200, step=0.02)
RECORDINGS = Pace(per_second=50, burst=100, step=0.2)


class RequestPacer:
    """Releases requests at a limited rate, in the order of arrival."""

    def __init__(self, pace: Pace, clock: IReactorTime) -> None:
        self._pace = pace
        self._clock = clock
        self._per_second = pace.per_second
        self._tokens = self._burst = float(pace.burst)
        self._at = clock.seconds()
        self._waiting: dict[Deferred[None], None] = {}
        self._is_scheduled = False

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, *, is_next: bool = False) -> bool:
        """Take a token; False if there is none or others are waiting for one.

        `is_next` if the token is for the one that has waited longest.
        """
        if self._waiting and not is_next:
            return False
        now, at, tokens = self._clock.seconds(), self._at, self._tokens
        if now > at:  # the clock may be set back
            tokens += (now - at) * self._per_second
            if tokens > self._burst:
                tokens = self._burst
        self._at = now
        if tokens < 1:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1
        return True

    def wait(self) -> Deferred[None]:
        """Wait for a token. Cancelling the Deferred leaves the queue."""
        waiting: Deferred[None] = Deferred(lambda gone: self._waiting.pop(gone, None))
        self._waiting[waiting] = None
        self._schedule()
        return waiting

    def _go_on(self) -> None:
        while self._waiting and self.take(is_next=True):
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
