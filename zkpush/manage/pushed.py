"""Replies without an end: what happens is written to them for as long as their reader reads."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.web.server import Request
from zope.interface import implementer

HEARTBEAT = 15.0
"""Seconds between two comments, which keep proxies from closing the connection."""
PATIENCE = 30.0
"""Seconds after which a reader that does not read is disconnected."""


@implementer(IPushProducer)
class PushedReply:
    """One such reply. A reader that does not read is disconnected, and can connect again.

    A subclass says what follows when the reader reads on (`_resumed`) and when it has left
    (`_closed`, called once).
    """

    def __init__(self, request: Request, clock: IReactorTime) -> None:
        self._request = request
        self._clock = clock
        self._open = True
        self._paused = False
        self._patience: IDelayedCall | None = None

    def _begin(self) -> None:
        """Watch the reader; called when the subclass can be told of it."""
        self._request.notifyFinish().addBoth(lambda _: self._close())
        self._request.registerProducer(self, True)

    def _resumed(self) -> None:
        """Send what was held back."""
        raise NotImplementedError

    def _closed(self) -> None:
        """Release what the reply held."""
        raise NotImplementedError

    def pauseProducing(self) -> None:
        """Pause, and start the deadline for a reader that does not read."""
        self._paused = True
        if self._open and self._patience is None:
            self._patience = self._clock.callLater(PATIENCE, self._abort)

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        self._stop_waiting()
        if self._open:
            self._resumed()

    def stopProducing(self) -> None:
        """Leave: the reader has disconnected."""
        self._close()

    def end(self) -> None:
        """End the reply, and close the connection."""
        if self._open:
            channel = self._request.channel
            self._close()
            self._request.unregisterProducer()
            self._request.finish()
            channel.loseConnection()

    def _abort(self) -> None:
        self._patience = None
        if self._open:
            self._close()
            cast(Any, self._request.transport).abortConnection()

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._stop_waiting()
            self._closed()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
