"""The HTTP channel of terminals: lean, because a terminal polls a thousand times for each punch.

Bytes are parsed by llhttp (`httptools`) in its strict mode, which refuses what could be read in two
ways: two lengths, a length and chunks, folded headers, bare line ends. Requests of a connection are
answered one after the other; what is not answered yet is not read further, so that a connection can
hold no more than one body and what one read brings. Each reply is one write with the header that
terminals need, and no more (wire facts, section 2).

A request is judged by its head (`gate`). As long as that takes, nothing more is read; one that is
refused is answered then, and of its body no more than `MOST_DROPPED` is read, and thrown away.

A request has to come whole in time: its head within the time that a connection may be silent, and
all of it within `request_seconds`, however it trickles. The site looks once a second.
"""

from __future__ import annotations

import collections
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httptools
import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..device.budget import SHORT
from ..device.downloads import Interrupted, Sending
from ..protocol.errors import TerminalError, Unavailable, refusal
from ..resources.base import Accepted
from ..resources.gate import Verdict
from .connection import BAD_REQUEST, FULL, SLOW, TOO_LARGE, Connection, LimitExceeded
from .messages import CHUNKED, FileReply, Plain, Reply, RequestHead, is_of_browser

if TYPE_CHECKING:
    from .site import TerminalSite

MOST_LEFT = 1024 * 1024
"""Most bytes that a connection leaves to the reactor to write, before it ends with a reply: who
asks on and on and reads nothing cannot fill the memory."""
MOST_DROPPED = 64 * 1024
"""Longest body that is read to its end although its request is refused: a terminal that is still
sending reads the reply more surely. The connection is ended then, and at once for a longer one."""
LINGER_SECONDS = 5
"""How long such a body may take."""
_MOST_METHOD = 8
"""Bytes in which the method ends, if it is one of ours."""
VERSIONS = ("1.0", "1.1")
_STOPPING = (Unavailable.status, refusal("The server is being stopped; ask again later."))
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Request(msgspec.Struct, gc=False):
    """A request that is coming, or is not answered yet."""

    head: RequestHead
    version: str
    keep: bool
    verdict: Verdict | None = None
    """None until it is judged."""
    body: bytes | list[bytes] = b""
    """A list where it came in parts."""
    long: BytesIO | None = None
    """A long body, which is not copied to be joined."""

    def take(self) -> bytes:
        """The body, which is not kept any longer."""
        if self.long is not None:
            body = self.long.getvalue()
        else:
            body = b"".join(self.body) if isinstance(self.body, list) else self.body
        self.body, self.long = b"", None
        return body

    def release(self) -> None:
        """Hold no memory any more: the request is answered, or nobody waits for its answer."""
        if isinstance(self.verdict, Accepted) and self.verdict.charge is not None:
            self.verdict.charge.release()


class TerminalChannel(Connection):
    """One connection of a terminal."""

    _log = Logger()

    # Most connections end with these as they are.
    _begun = b""
    _target = b""
    _range: bytes | None = None
    _cookie: bytes | None = None
    _forwarded: bytes | None = None
    _expects = False
    _length = 0
    _is_browser = False
    _in_head = False
    _head_bytes = 0
    _unread = 0
    _received = 0
    """Bytes of the body of the request that is coming."""
    _request: _Request | None = None
    _answering = False
    _deaf = False
    _sending: Sending | None = None
    _dropping = 0
    """Bytes that are still read of the body of a request that was refused."""

    def __init__(self, site: TerminalSite, address: IAddress | None) -> None:
        super().__init__(site, address)
        self._parser = httptools.HttpRequestParser(self)
        self._queue: collections.deque[_Request] = collections.deque()
        self._judging: dict[Deferred[Verdict], None] = {}
        self.begun_at = site.tick
        """When (in ticks of the site) the request began that has not come whole."""

    def connectionMade(self) -> None:
        """Begin to read, unless there are too many connections already."""
        if not self.arrive(self):
            return
        transport: Any = self.transport
        if self._direct:
            # Who connects sends at once: most requests are there before the connection is
            # accepted. To read now saves hearing of it from the reactor, and the uploads of one
            # turn share a commit. Of an end of the connection the reactor hears once more.
            transport.doRead()
            if not (self._closing or self._answering or self._judging):
                transport.startReading()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be forgotten; what is being stored is stored all the same."""
        super().connectionLost(reason)
        self._site.channels.pop(self, None)
        for request in [*self._queue, *filter(None, [self._request])]:
            request.release()
        self._queue.clear()
        for judging in [*self._judging]:
            judging.cancel()
        if self._sending is not None:
            self._sending.stopProducing()
        # The parser refers to this channel: without it, there is nothing for a garbage collector.
        del self._parser

    @property
    def busy(self) -> bool:
        """Whether a request that may go on came whole, and is not answered yet."""
        return self._answering or (bool(self._queue) and not self._judging)

    @property
    def progress(self) -> int:
        """How far the next request is: 0 nothing came, 1 not judged, 2 its body is awaited."""
        if self._request is not None and isinstance(self._request.verdict, Accepted):
            return 2
        is_coming = self._in_head or self._begun or self._request is not None or self._judging
        return 1 if is_coming else 0

    @property
    def leaving(self) -> bool:
        """Whether a file, or the last there is to write, has not left whole."""
        return self._sending is not None or self._closing

    @property
    def moving(self) -> bool:
        """Whether a request has begun to come, or something to leave, and has not done so whole."""
        is_coming = self._in_head or self._request is not None or bool(self._judging)
        return is_coming or self.leaving

    def dataReceived(self, data: bytes) -> None:
        """Parse what came, then answer what is complete."""
        if self._closing or self._deaf:
            if self._dropping:
                self._drop(len(data))
            return
        is_begun, received = self._in_head or self._request is not None, self._received
        if self._request is not None:
            # A head that trickles is as good as silence.
            self.active_at = self._site.tick
        try:
            if not is_begun:
                data = self._begun + data
                if len(data) < _MOST_METHOD and data.isalpha():
                    self._begun = data  # its method has not come whole
                    return
                self._begun = b""
                data = _with_plain_method(data)
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Answered as what it is without the upgrade; what follows is not HTTP any more.
            self._last()
        except httptools.HttpParserError as error:
            why = error.__context__
            if isinstance(why, LimitExceeded):
                if why.limit is not None:
                    self._strike(why.limit)
                self._fail(why.reply)
            else:
                self._fail(BAD_REQUEST)
            return
        if is_begun and self._received == received and (self._in_head or self._request is not None):
            # The parser keeps what it has of a header to itself until it has all of it. Headers may
            # come after chunks as well.
            self._unread += len(data)
            if self._unread > self._site.head_bytes:
                self._strike("head_bytes")
                self._fail(BAD_REQUEST)
                return
        self._next()

    def check_time(self, tick: int) -> None:
        """Hear that a second has passed, and end what takes too long."""
        limits = self._site.limits
        silent = tick - self.active_at
        if self.leaving:
            if silent > limits.stalled_seconds:
                self._strike("stalled_seconds")
                self.cut()
        elif self.busy or self._judging:
            return
        elif self._dropping:
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

    def make_way(self) -> None:
        """End this connection, of which nothing is in hand, for another one."""
        self._strike("connections")
        self._site.channels.pop(self, None)
        self.cut()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self.active_at = self.begun_at = self._site.tick
        if self._proxy is not None:
            self._hear_proxy()
        self._target = b""
        self._range = self._cookie = self._forwarded = None
        self._expects = self._is_browser = False
        self._length = 0
        self._in_head = True
        self._head_bytes = 0
        self._unread = 0
        self._received = 0

    def on_url(self, part: bytes) -> None:
        """The target of the request, or a part of it."""
        self._target += part
        self._head_bytes += len(part)
        if self._head_bytes > self._site.head_bytes:
            raise LimitExceeded("head_bytes", BAD_REQUEST)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, whole."""
        length = len(name)
        self._head_bytes += length + len(value) + 4  # ": " and the end of the line
        if self._head_bytes > self._site.head_bytes:
            raise LimitExceeded("head_bytes", BAD_REQUEST)
        if length == 6:
            lower = name.lower()
            if lower == b"expect":
                self._expects = value.lower() == b"100-continue"
            elif lower == b"cookie":
                self._cookie = value if self._cookie is None else b"%b; %b" % (self._cookie, value)
            elif lower == b"origin":
                self._is_browser = True
        elif length == 14 and name.lower() == b"content-length":
            self._length = int(value)
            if self._length > self._site.body_bytes:
                raise LimitExceeded("body_bytes", TOO_LARGE)
        elif length == 5:
            if name.lower() == b"range":
                # Of two, neither is one range.
                self._range = value if self._range is None else b""
        elif length == 15:
            if self._trusted and name.lower() == b"x-forwarded-for":
                forwarded = self._forwarded
                self._forwarded = value if forwarded is None else forwarded + b"," + value
        elif length == 17 and name.lower() == b"transfer-encoding":
            self._length = CHUNKED
        elif length == 10 or length >= 14:
            self._is_browser = self._is_browser or is_of_browser(name, value)

    def on_headers_complete(self) -> None:
        """The body, if there is one, comes next."""
        self._in_head = False
        if self._deaf:
            return  # behind the last request that is looked at
        parser = self._parser
        version = parser.get_http_version()
        if version not in VERSIONS or (self._length and parser.should_upgrade()):
            # The parser does not read the body of a request that asks for another protocol.
            raise TerminalError
        keep = version == "1.1" and parser.should_keep_alive()
        address = self._address if self._forwarded is None else self._client(self._forwarded)
        path, _, query = self._target.partition(b"?")
        head = RequestHead(
            parser.get_method().decode("ascii"),
            path,
            query,
            address,
            self._length,
            self._is_browser,
            self._range,
            self._cookie,
        )
        request = self._request = _Request(head, version, keep)
        self.active_at = self._site.tick
        verdict = self._site.judge(head)
        if isinstance(verdict, Deferred):
            self._judge_later(request, verdict)
        else:
            self._judged(request, verdict)

    def _judge_later(self, request: _Request, verdict: Deferred[Verdict]) -> None:
        """Read nothing more until a request is judged."""
        is_later = False
        transport: Any = self.transport

        def judged(found: Verdict | Failure) -> None:
            self._judging.pop(verdict, None)
            if self._closing or isinstance(found, Failure):
                if isinstance(found, Accepted) and found.charge is not None:
                    found.charge.release()
                return
            # What took this long was not the terminal's doing.
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

    def _judged(self, request: _Request, verdict: Verdict) -> None:
        """Read the body of a request that is accepted; answer one that is not without it."""
        request.verdict = verdict
        if self._request is not request:
            return  # its body has come already
        if isinstance(verdict, Accepted):
            if self._expects and request.version == "1.1" and not self._queue:
                self._send(_CONTINUE)
        elif request.head.length:
            self._request = None
            self._queue.append(request)
            request.body = b""
            request.keep = False
            self._deaf = True
            if 0 < request.head.length <= MOST_DROPPED and not self._expects:
                self._dropping = request.head.length - self._received

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        length = len(part)
        if self._deaf:
            self._drop(length)
            return
        self._received += length
        request = self._request
        if request is None:
            return
        verdict = request.verdict
        if request.head.length == CHUNKED and isinstance(verdict, Accepted):
            most = self._site.body_bytes
            if self._received > (most if verdict.resource.takes_long else min(SHORT, most)):
                raise LimitExceeded("body_bytes", TOO_LARGE)
            if verdict.charge is not None:
                try:
                    verdict.charge.grow(length)
                except Unavailable:
                    raise LimitExceeded(None, FULL) from None
        if request.long is not None:
            request.long.write(part)
        elif request.head.length > SHORT:
            long = BytesIO()
            long.write(request.take())
            long.write(part)
            request.long = long
        else:
            self._keep(request, part)

    @staticmethod
    def _keep(request: _Request, part: bytes) -> None:
        if isinstance(request.body, list):
            request.body.append(part)
        else:
            request.body = [request.body, part] if request.body else part

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._request is not None:
            self._queue.append(self._request)
        self._request = None

    # Answers.

    def _next(self) -> None:
        """Answer what waits, as long as that can be done at once."""
        while self._queue and not self._answering and not self._closing:
            request = self._queue[0]
            verdict = request.verdict
            if verdict is None:
                return
            self._queue.popleft()
            if isinstance(verdict, tuple):
                self._write(request, verdict)
                continue
            reply = self._site.reply(verdict, request.take())
            if isinstance(reply, tuple):
                request.release()
                self._write(request, reply)
            else:
                self._wait_for(request, reply)

    def _wait_for(self, request: _Request, reply: Deferred[Reply]) -> None:
        """Answer later, and read nothing more until then."""
        self._answering = True
        self._site.begin()
        if request.keep:
            transport: Any = self.transport
            transport.pauseProducing()
        else:
            # What still comes is thrown away, which is cheaper than not to hear of it.
            self._deaf = True
        reply.addCallback(self._answered, request)

    def _answered(self, reply: Reply, request: _Request) -> None:
        request.release()
        # What took this long was not the terminal's doing.
        self.active_at = self.begun_at = self._site.tick
        if not self._closing:
            if not isinstance(reply, tuple):
                if not self._site.draining:
                    Deferred.fromCoroutine(self._send_file(request, reply)).addErrback(
                        lambda failure: self._log.failure("A file was not sent", failure)
                    )
                    return
                reply = _STOPPING
            self._write(request, reply)
        self._go_on()

    def _go_on(self) -> None:
        self._answering = False
        # Only now: a drain that waits for the last request in hand may end this connection at once.
        self._site.end()
        if not self._closing:
            if not self._judging:
                transport: Any = self.transport
                transport.resumeProducing()
            self._next()

    async def _send_file(self, request: _Request, reply: FileReply) -> None:
        keep = self._keeps(request)
        head = self._site.head(reply.status, request.version, keep, len(reply), reply.header)
        try:
            if request.head.method == "HEAD" or reply.download is None:
                self._send(head if request.head.method == "HEAD" else head + reply.body)
            else:
                self._send(head)
                self._direct = False
                transport: Any = self.transport
                self._sending = Sending(reply.download, transport, self._moved)
                await self._sending.run(reply.start, reply.end)
            if not keep or self._site.draining:
                self.hang_up()
        except Interrupted:
            self.cut()
        finally:
            self._sending = None
            self._go_on()

    def _moved(self) -> None:
        self.active_at = self._site.tick

    def _keeps(self, request: _Request) -> bool:
        is_last = self._deaf and not self._queue
        may_stay = request.keep and self._left < MOST_LEFT
        return may_stay and not is_last and not self._site.draining

    def _write(self, request: _Request, reply: Plain) -> None:
        """Write a reply. If that fails, in whatever way, it is logged, and the connection is cut.

        The request has ended then like any other: a daemon that stops waits for those in hand.
        """
        try:
            status, body = reply
            keep = self._keeps(request)
            head = self._site.head(status, request.version, keep, len(body))
            lingers = self._dropping > 0 and not self._queue
            whole = head if request.head.method == "HEAD" else head + body
            self._send(whole)
            if not keep and not lingers:
                self.hang_up()
        except Exception:  # of the transport, which may be anybody's; callers have more to do
            self._log.failure("A reply was not written")
            self.cut()

    def _drop(self, length: int) -> None:
        """Throw away what comes of the body of a request that was refused; end with its end."""
        self._dropping = max(0, self._dropping - length)
        if not self._dropping and not self._queue and not self._answering:
            self.hang_up()

    def _fail(self, reply: Plain) -> None:
        """Refuse what cannot be read, unless good requests came before it: those are answered."""
        if self._answering or self._queue:
            self._last()
            self._next()
        else:
            if self._request is not None:
                self._request.release()
                self._request = None
            self._say_last(reply)

    def _last(self) -> None:
        """Look at nothing that still comes: the last request that came whole ends this."""
        if self._request is not None:
            self._request.release()
        self._request = None
        self._in_head = False
        self._deaf = True

    def cut(self) -> None:
        """End the connection at once, whatever is still to be written."""
        if self._sending is not None:
            self._sending.stopProducing()
        super().cut()


def _with_plain_method(data: bytes) -> bytes:
    """What begins a request: old firmware writes `Get`, the parser knows capitals only."""
    if data.startswith((b"GET ", b"POST ")):
        return data
    method, space, rest = data[:_MOST_METHOD].partition(b" ")
    if space and method.isalpha() and not method.isupper():
        return method.upper() + space + rest + data[_MOST_METHOD:]
    return data
