"""Deadlines of connections, and the progress of their requests.

A request has to arrive in time: its head within `idle_seconds` and all of it within
`request_seconds`, even if it trickles in. The site checks once a second.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred

from .messages import Accepted, Plain, Verdict
from .reader import RequestReader
from .replies import SLOW
from .sending import Sending

LINGER_SECONDS = 5
"""Seconds for reading the body of a refused request to its end."""


class TimedReader(RequestReader):
    """A request reader with deadlines."""

    _answering = False
    """Whether a request is being answered."""
    _sending: Sending | None = None
    _judging: Mapping[Deferred[Verdict], None]
    """Pending decisions."""

    @property
    def busy(self) -> bool:
        """Whether an accepted request has arrived completely and is unanswered."""
        return self._answering or (bool(self._queue) and not self._judging)

    @property
    def progress(self) -> int:
        """Progress of the next request: 0 not begun, 1 not judged, 2 body is arriving.

        3 if the body is arriving and the request makes way last.
        """
        if self._request is not None and isinstance(self._request.verdict, Accepted):
            return 3 if self._request.verdict.makes_way_last else 2
        is_coming = self._in_head or self._begun or self._request is not None or self._judging
        return 1 if is_coming else 0

    @property
    def leaving(self) -> bool:
        """Whether a file or the last reply is being sent."""
        return self._sending is not None or self._closing

    @property
    def moving(self) -> bool:
        """Whether a request is arriving or a reply is being sent."""
        is_coming = self._in_head or self._request is not None or bool(self._judging)
        return is_coming or self.leaving

    def check_time(self, tick: int) -> None:
        """End the connection if it takes too long; called once a second."""
        limits = self._site.limits
        silent = tick - self.active_at
        if self.leaving:
            if silent > limits.stalled_seconds:
                self._strike("stalled_seconds")
                self.cut()
        elif self.busy or self._judging:
            return
        elif self._discarding:
            if tick - self.begun_at > LINGER_SECONDS:
                self.hang_up()
        elif self._in_head or self._request is not None:
            is_silent = silent > limits.idle_seconds
            if is_silent or tick - self.begun_at > limits.request_seconds:
                self._strike("idle_seconds" if is_silent else "request_seconds")
                self._fail(SLOW)
        elif silent > limits.idle_seconds:
            self._strike("idle_seconds")
            self.hang_up()

    def _fail(self, reply: Plain) -> None:
        """Refuse unreadable data."""
        raise NotImplementedError
