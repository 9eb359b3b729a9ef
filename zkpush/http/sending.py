"""Reply bodies that are read and sent in parts, at the client's pace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IPushProducer
from zope.interface import implementer

PART = 96 * 1024
"""Maximum body bytes that a connection holds: enough to make a transport ask for a pause."""
Read = Callable[[int, int], Awaitable[bytes]]
"""Reads the bytes between two offsets; raises `Interrupted` if that fails."""


class Interrupted(Exception):
    """The body cannot be sent completely: the client is gone, or reading failed."""


@implementer(IPushProducer)
class Paced:
    """Writes parts of a body to a consumer, at the consumer's pace."""

    def __init__(self, consumer: IConsumer) -> None:
        self._consumer = consumer
        self._paused = False
        self._stopped = False
        self._resumed: Deferred[None] | None = None

    async def write(self, content: bytes) -> None:
        """Write a part; return when the consumer has taken it. Raises `Interrupted`."""
        await self._ready()
        self._consumer.write(content)
        await self._ready()

    def begin(self) -> None:
        """Register as the producer of the consumer."""
        self._consumer.registerProducer(self, True)

    def finish(self) -> None:
        """Unregister from the consumer."""
        if not self._stopped:
            self._consumer.unregisterProducer()

    async def _ready(self) -> None:
        """Wait until the consumer takes more."""
        if self._paused and not self._stopped:
            self._resumed = Deferred()
            await self._resumed
        if self._stopped:
            raise Interrupted

    def pauseProducing(self) -> None:
        """Pause until `resumeProducing`: the consumer's buffer is full."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Continue: the consumer takes more."""
        self._paused = False
        self._go_on()

    def stopProducing(self) -> None:
        """Stop permanently: the client is gone."""
        self._stopped = True
        self._go_on()

    def _go_on(self) -> None:
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.callback(None)


class Sending(Paced):
    """Sends a body that is read in parts."""

    def __init__(
        self, read: Read, consumer: IConsumer, moved: Callable[[], object] = lambda: None
    ) -> None:
        """`moved` is called after each part."""
        super().__init__(consumer)
        self._read = read
        self._moved = moved

    async def run(self, start: int, end: int) -> None:
        """Send the bytes between two offsets; return when the consumer has taken them.

        Raises `Interrupted` if that fails: then the body is incomplete, and nothing may follow it.
        """
        self.begin()
        try:
            while start < end:
                until = min(start + PART, end)
                content = await self._read(start, until)
                await self._ready()
                self._consumer.write(content)
                self._moved()
                del content
                await self._ready()
                start = until
        finally:
            self.finish()
