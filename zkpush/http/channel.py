"""HTTP/1.x channel: the requests of one connection and their replies, one at a time.

While a request is judged or answered, nothing more is read, so that a connection holds at most one
body and the data of one read. A reply is one write, with the header lines that terminals need and
no others (wire facts, section 2).

A request is judged by its head. A refused one is answered at once. Of its body at most
`MOST_DISCARDED` bytes are read and discarded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httptools
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES, datetimeToString

from .connection import LimitExceeded
from .deadlines import TimedReader
from .messages import PLAIN, Accepted, FileReply, Plain, Reply, Verdict
from .reader import PendingRequest
from .replies import BAD_REQUEST, CONTINUE, STOPPING
from .sending import Interrupted, Sending

if TYPE_CHECKING:
    from .site import HttpSite

LONG = 256 * 1024
"""Requests with longer bodies (bytes) are answered one after the other."""
MOST_BUFFERED = 1024 * 1024
"""Maximum bytes in the transport's buffer before the connection ends with a reply: a client that
sends requests and reads no replies cannot fill the memory."""
MOST_DISCARDED = 64 * 1024
"""Maximum body size in bytes that is read to its end although the request is refused: a client that
is still sending is more likely to read the reply. After it, or at once for a longer body, the
connection ends."""
_TLS = b"\x16\x03"
"""Prefix of a TLS handshake (RFC 8446, section 5.1)."""
MOST_HEADS = 256
"""Maximum number of cached heads, kept for up to a second: most replies have one of a few."""


class ReplyHeads:
    """Builds the heads of replies."""

    def __init__(self, wall: Callable[[], float]) -> None:
        """`wall` returns the time of day, in seconds since the epoch."""
        self._wall = wall
        self._date = (0, b"")
        self._heads: dict[tuple[int, str, bool, int, bytes, bool], bytes] = {}

    def head(
        self,
        status: int,
        version: str,
        keep: bool,
        length: int,
        lines: bytes = PLAIN,
        dated: bool = True,
    ) -> bytes:
        """Return the head of a reply, up to the empty line (wire facts, section 2).

        `length` is in bytes. `lines` are the header lines that describe the body. Without `keep`,
        the connection ends after the reply; if not `dated`, there is no `Date`.
        """
        now = int(self._wall())
        if self._date[0] != now or len(self._heads) > MOST_HEADS:
            self._date = (now, datetimeToString(now))
            self._heads.clear()
        kind = (status, version, keep, length, lines, dated)
        head = self._heads.get(kind)
        if head is None:
            head = self._heads[kind] = self._new_head(*kind)
        return head

    def _new_head(
        self, status: int, version: str, keep: bool, length: int, lines: bytes, dated: bool
    ) -> bytes:
        return (b"HTTP/%b %d %b\r\n%b%bContent-Length: %d\r\nCache-Control: no-store\r\n%b\r\n") % (
            version.encode(),
            status,
            RESPONSES.get(status, b"Refused"),
            b"Date: %b\r\n" % self._date[1] if dated else b"",
            lines,
            length,
            b"" if keep else b"Connection: close\r\n",
        )


class HttpChannel(TimedReader):
    """The requests of one connection, and their replies."""

    _log = Logger()

    def __init__(self, site: HttpSite, address: IAddress | None, awaits_proxy: bool) -> None:
        super().__init__(site, address, awaits_proxy)
        self._judging: dict[Deferred[Verdict], None] = {}

    def connectionMade(self) -> None:
        """Begin to read, unless there are too many connections already."""
        if not self.arrive(self):
            return
        transport: Any = self.transport
        if self._direct:
            # Most requests have arrived before their connection is accepted. Reading now saves an
            # event of the reactor, and uploads of one turn share a commit. If the client has closed
            # the connection, reading again reports it.
            transport.doRead()
            if not (self._closing or self._answering or self._judging):
                transport.startReading()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave the site. Answers in progress go on; their replies are dropped."""
        super().connectionLost(reason)
        self._site.channels.pop(self, None)
        for request in self._queue:
            request.release()
        self._queue.clear()
        if self._request is not None:
            self._request.release()
        for judging in [*self._judging]:
            judging.cancel()
        if self._sending is not None:
            self._sending.stopProducing()
        # The parser refers to this channel; without the cycle no garbage collection is needed.
        del self._parser

    def dataReceived(self, data: bytes) -> None:
        """Parse data, then answer complete requests."""
        if self._closing or self._ignores:
            if self._discarding:
                self._discard(len(data))
            return
        if self._request is not None:
            # A head that trickles counts as silence.
            self.active_at = self._site.tick
        try:
            self._parse(data)
        except LimitExceeded as error:
            self._exceeded(error)
            return
        except httptools.HttpParserUpgrade:
            # Answered without the upgrade; what follows is not HTTP any more.
            self._last()
        except httptools.HttpParserError as error:
            cause = error.__context__
            if isinstance(cause, LimitExceeded):
                self._exceeded(cause)
            else:
                if data.startswith(_TLS):
                    self._strike("tls")
                self._fail(BAD_REQUEST)
            return
        self._next()

    def make_way(self) -> None:
        """End this connection, which has no request in hand, for another one."""
        self._strike("connections")
        self._site.channels.pop(self, None)
        self.cut()

    def _has_head(self, request: PendingRequest) -> None:
        """Judge a request by its head, at once or later."""
        verdict = self._site.judge(request.head)
        # The usual case comes first, as `Deferred` is an abstract class, which is slow to test for.
        if isinstance(verdict, Accepted) or not isinstance(verdict, Deferred):
            self._judged(request, verdict)
        else:
            self._judge_later(request, verdict)

    def _judge_later(self, request: PendingRequest, verdict: Deferred[Verdict]) -> None:
        """Stop reading until a request is judged."""
        is_later = False
        transport: Any = self.transport

        def judged(found: Verdict | Failure) -> None:
            self._judging.pop(verdict, None)
            if self._closing or isinstance(found, Failure):
                if isinstance(found, Accepted) and found.charge is not None:
                    found.charge.release()
                return
            # The client is not to blame for this time.
            self.active_at = self.begun_at = self._site.tick
            self._judged(request, found)
            if is_later:
                self._next()
                if not (self._judging or self._answering or self._closing):
                    transport.resumeProducing()

        verdict.addBoth(judged)
        if request.verdict is None:
            is_later = True
            self._judging[verdict] = None
            transport.pauseProducing()

    def _judged(self, request: PendingRequest, verdict: Verdict) -> None:
        """Read the body of an accepted request; answer a refused one without it."""
        request.verdict = verdict
        if self._request is not request:
            return  # its body has already arrived
        if isinstance(verdict, Accepted):
            if self._expects and request.version == "1.1" and not self._queue:
                self._send(CONTINUE)
        elif request.head.length:
            self._request = None
            self._queue.append(request)
            request.body = b""
            request.keep = False
            self._ignores = True
            if 0 < request.head.length <= MOST_DISCARDED and not self._expects:
                self._discarding = request.head.length - self._received

    # Answers.

    def _next(self) -> None:
        """Answer queued requests, as long as that is possible at once."""
        while self._queue and not self._answering and not self._closing:
            request = self._queue[0]
            verdict = request.verdict
            if verdict is None:
                return
            self._queue.popleft()
            if not isinstance(verdict, Accepted):
                self._write(request, verdict if isinstance(verdict, tuple) else verdict.reply)
                continue
            body, site = request.take(), self._site
            answer = site.answer if len(body) <= LONG else site.answer_long
            reply = answer(verdict, body)
            if isinstance(reply, tuple):
                request.release()
                self._write(request, reply)
            else:
                self._wait_for(request, reply)

    def _wait_for(self, request: PendingRequest, reply: Deferred[Reply]) -> None:
        """Answer later, and stop reading until then."""
        self._answering = True
        self._site.in_hand += 1
        if request.keep:
            transport: Any = self.transport
            transport.pauseProducing()
        else:
            # Discarding data costs less than to stop reading.
            self._ignores = True
        reply.addCallback(self._answered, request)

    def _answered(self, reply: Reply, request: PendingRequest) -> None:
        request.release()
        # The client is not to blame for this time.
        self.active_at = self.begun_at = self._site.tick
        if not self._closing:
            if not isinstance(reply, tuple):
                if not self._site.draining:
                    Deferred.fromCoroutine(self._send_file(request, reply))
                    return
                reply = STOPPING
            self._write(request, reply)
        self._go_on()

    def _go_on(self) -> None:
        self._answering = False
        # Not earlier: a drain that awaits the last request in hand may end this connection at once.
        self._site.in_hand -= 1
        if self._site.draining:
            self._site.check_drained()
        if not self._closing:
            if not self._judging:
                transport: Any = self.transport
                transport.resumeProducing()
            self._next()

    async def _send_file(self, request: PendingRequest, reply: FileReply) -> None:
        self._site.replied(request.head, request.verdict, reply)
        keep = self._keeps(request)
        dated = self._is_dated(request)
        head = self._site.head(reply.status, request.version, keep, len(reply), reply.header, dated)
        try:
            if request.head.method == "HEAD" or reply.read is None:
                self._send(head if request.head.method == "HEAD" else head + reply.body)
            else:
                self._send(head)
                self._direct = False
                transport: Any = self.transport
                self._sending = Sending(reply.read, transport, self._moved)
                await self._sending.run(reply.start, reply.end)
            if not keep or self._site.draining:
                self.hang_up()
        except Interrupted:
            self.cut()
        except Exception:
            self._log.failure("A file was not sent")
            self.cut()
        finally:
            self._sending = None
            self._go_on()

    def _moved(self) -> None:
        self.active_at = self._site.tick

    def _send(self, data: bytes, *, last: bool = False) -> None:
        """Send what the socket takes at once; leave the rest to the transport.

        Almost every reply fits, which saves waiting until the socket is writable.
        """
        transport: Any = self.transport
        if self._direct:
            sent = transport.send_now(data, last=last)
            if sent == len(data):
                return
            # From now on everything goes through the buffer, so that nothing overtakes the rest.
            self._direct = False
            data = data[sent:]
        self._buffered += len(data)
        transport.write(data)

    def _is_dated(self, request: PendingRequest) -> bool:
        verdict = request.verdict
        dated = None if verdict is None or isinstance(verdict, tuple) else verdict.is_dated
        return self._site.dates(request.head) if dated is None else dated

    def _keeps(self, request: PendingRequest) -> bool:
        is_last = self._ignores and not self._queue
        may_stay = request.keep and self._buffered < MOST_BUFFERED
        return may_stay and not is_last and not self._site.draining

    def _write(self, request: PendingRequest, reply: Plain) -> None:
        """Write a reply. A failure is logged and ends the connection.

        The request ends in either case: a site that stops waits for requests in hand.
        """
        try:
            self._site.replied(request.head, request.verdict, reply)
            status, body = reply
            keep = self._keeps(request)
            dated = self._is_dated(request)
            head = self._site.head(status, request.version, keep, len(body), dated=dated)
            lingers = self._discarding > 0 and not self._queue
            whole = head if request.head.method == "HEAD" else head + body
            self._send(whole, last=not keep and not lingers)
            if not keep and not lingers:
                self.hang_up()
        except Exception:  # a transport may raise anything, and callers must go on
            self._log.failure("A reply was not written")
            self.cut()

    def _discard(self, length: int) -> None:
        """Discard a part of the body of a refused request; end the connection with the body."""
        self._discarding = max(0, self._discarding - length)
        if not self._discarding and not self._queue and not self._answering:
            self.hang_up()

    def _exceeded(self, error: LimitExceeded) -> None:
        """Refuse a request that exceeds a limit."""
        if error.limit is not None:
            self._strike(error.limit)
        self._fail(error.reply)

    def _fail(self, reply: Plain) -> None:
        """Refuse unreadable data; first answer the complete requests before it."""
        if self._answering or self._queue:
            self._last()
            self._next()
        else:
            if self._request is not None:
                self._site.replied(self._request.head, self._request.verdict, reply)
                self._request.release()
                self._request = None
            self._say_last(reply)

    def _last(self) -> None:
        """Ignore further data: the last complete request ends the connection."""
        if self._request is not None:
            self._request.release()
        self._request = None
        self._in_head = False
        self._ignores = True

    def cut(self) -> None:
        """End the connection at once; discard data that is still to be written."""
        if self._sending is not None:
            self._sending.stopProducing()
        super().cut()
