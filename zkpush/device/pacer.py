"""A pace for requests that are not of approved terminals: these wait, others are served meanwhile.

Theory of operation. A request of an approved terminal is never paced. Any other one takes a token;
there are `PER_SECOND` a second, and up to `BURST` of them are saved. Without a token it waits in
line, with nothing read from its connection. However many strangers connect, they take no more from
the terminals than so many refusals a second.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

PER_SECOND = 500
"""Requests that are judged in a second, if they are not of approved terminals."""
BURST = 200
"""Requests that may come at once before any has to wait."""
STEP_SECONDS = 0.02
"""Seconds between two looks at the line."""


class RequestPacer:
    """Lets so many requests go on in a second, in the order they came."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._tokens = float(BURST)
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
        self._tokens = min(float(BURST), self._tokens + passed * PER_SECOND)
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
            self._clock.callLater(STEP_SECONDS, self._go_on)
