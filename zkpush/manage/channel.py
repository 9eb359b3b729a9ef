"""One connection of a person or program: what it may cost, and what is refused before it is read.

Theory of operation. twisted.web parses HTTP. When the head of a request with a body is there,
reading stops until the API has judged it: path, method, token, scope and length. What is refused
is answered then, before `100 Continue` and before a byte of the body is kept; a little of what
comes after that is dropped, so that the other side can read the answer, and the connection ends.

Everything has a deadline: a silent connection, the head from its first byte on, the whole request,
and a reply that the other side does not take. Deadlines do not start anew with each byte.
"""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.server import Request

from ..clock import wall_clock
from .errors import ApiError, bad_request, explain, refusal, too_large

if TYPE_CHECKING:
    from .site import ManageSite

MOST_HEADERS = 100
MOST_DIGITS = 19
"""Digits of a Content-Length; Python itself refuses to read very long numbers."""
LINGER_SECONDS = 2
"""How long a connection stays after a refusal, for the other side to read it."""
LINGER_BYTES = 4 * 1024 * 1024
"""Most bytes that are read and dropped meanwhile."""
CLOSE_SECONDS = 15
"""How long the end of a connection may take."""
_TLS = b"\x16\x03"
"""How a TLS handshake begins (RFC 8446, 5.1)."""
_NO_TLS = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_SLOW = ApiError(HTTPStatus.REQUEST_TIMEOUT, "The request did not come whole in time.")
_log = Logger()


class ManageRequest(Request):
    """A request. Its body is kept in memory: it may be secret, and Twisted's own may use the disk.

    Of a body, no more is kept than `room`, which is 0 until the API has admitted the request.
    """

    room = 0
    """Most bytes of the body."""
    channel: ManageChannel
    content: BytesIO

    def gotLength(self, length: int | None) -> None:
        """Prepare for the body."""
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a part of the body, unless it is more than the path takes."""
        if self.content.tell() + len(data) <= self.room:
            super().handleContentChunk(data)
        else:
            self.channel.refuse(too_large(self.room))

    def find_client(self) -> str | None:
        """The address of the client, also behind a trusted proxy; None for a socket file.

        `ApiError` if a trusted proxy names an address that is none.
        """
        return self.channel.find_client(self)

    def recognised(self, is_known: bool) -> None:
        """Note whether the request came with a good token."""
        channel = getattr(self, "channel", None)  # twisted.web removes it when the client is gone
        if channel is not None:
            channel.is_known = is_known


class ManageChannel(HTTPChannel):
    """One connection."""

    transport: Any
    """TCP, or TLS above it; both can be paused and aborted."""
    maxHeaders = MOST_HEADERS
    abortTimeout = CLOSE_SECONDS

    def __init__(self, site: ManageSite) -> None:
        super().__init__()
        self.site = site
        self.requestFactory = ManageRequest
        setattr(self, "callLater", site.reactor.callLater)  # noqa: B010 - as HTTPFactory does
        self.timeOut = site.limits.idle_seconds
        self.totalHeadersSize = self.MAX_LENGTH = site.limits.head_bytes
        self.address: str | None = None
        self.is_known = False
        self.is_in_hand = False
        """Whether a request is being answered, or its body is read."""
        self._request_line = b""
        self._is_located = False
        self._has_ended = False
        """Whether whatever still comes is dropped."""
        self._dropped = 0
        self._deadline: IDelayedCall | None = None
        self._stall: IDelayedCall | None = None

    # Arrival and end.

    def connectionMade(self) -> None:
        """Take a place, or be turned away."""
        super().connectionMade()
        peer = _host(self.transport)
        if not self.site.may_connect(peer):
            self.site.struck("proxy", None, peer)
            self.cut()
        elif not self.site.connections.add(self):
            self.cut()
        elif not self.site.is_proxied:
            self._locate(peer)

    def _locate(self, address: str | None) -> bool:
        """Count the connection for its address, or cut it."""
        self._is_located = True
        is_taken = self.site.connections.locate(self, address)
        if not is_taken:
            self.cut()
        return is_taken

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Free the place."""
        self._has_ended = True
        self._set_deadline(None)
        self._stop_stall()
        self.site.connections.remove(self)
        super().connectionLost(reason)

    def cut(self) -> None:
        """End the connection at once."""
        self._has_ended = True
        self.transport.abortConnection()

    def loseConnection(self) -> None:
        """End the connection after what was written, or soon."""
        self._set_deadline(CLOSE_SECONDS, self.cut)
        super().loseConnection()

    # Reading.

    def dataReceived(self, data: bytes) -> None:
        """Take what has come, unless the connection is at its end."""
        if self._has_ended:
            self._dropped += len(data)
            if self._dropped > LINGER_BYTES:
                self.cut()
            return
        # Behind `haproxy:`, the address comes with the first bytes.
        if not self._is_located and not self._locate(_host(self.transport)):
            return
        if self._deadline is None and not self.is_in_hand:
            if data.startswith(_TLS):
                self._refuse_tls()
                return
            self._set_deadline(self.site.limits.idle_seconds, self._too_slow)
        super().dataReceived(data)

    def _refuse_tls(self) -> None:
        """Answer a TLS client in plain text, which it takes for what it is: a port without TLS."""
        self.site.struck("tls", None, self.address)
        self._has_ended = True
        self.transport.write(_NO_TLS)
        self.loseConnection()

    def lineReceived(self, line: bytes) -> None:
        """Take a line of a head, and remember the first."""
        before = len(self.requests)
        super().lineReceived(line)
        if len(self.requests) > before:
            self._request_line = line

    def headerReceived(self, line: bytes) -> bool:
        """Take a header; twisted.web refuses a Content-Length that is no number."""
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and len(value.strip()) > MOST_DIGITS:
            line = b"Content-Length: too long"
        return bool(super().headerReceived(line))

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is longer than a whole head may be."""
        self.refuse(ApiError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too long."))

    def allHeadersReceived(self) -> None:
        """Judge a request that has a body; one without is judged when it is answered."""
        request = self.requests[-1]
        expected = request.requestHeaders.getRawHeaders(b"expect", [])
        request.requestHeaders.removeHeader(b"expect")  # or twisted.web would answer it
        super().allHeadersReceived()
        if self.length == 0:
            return
        # HTTPChannel's own pausing is that of a reply; this one stops the parser as well.
        LineReceiver.pauseProducing(self)
        method, target, version = (*self._request_line.split(b" "), b"", b"")[:3]
        continues = version == b"HTTP/1.1" and [each.lower() for each in expected] == [
            b"100-continue"
        ]

        def go_on(room: int) -> None:
            if self._has_ended:
                return
            request.room = room
            self.is_in_hand = True
            self._set_deadline(self.site.limits.request_seconds, self._too_slow)
            if continues:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            LineReceiver.resumeProducing(self)

        judged = Deferred.fromCoroutine(
            self.site.api.judge(request, method, target.partition(b"?")[0], self.length)
        )
        judged.addCallbacks(go_on, self._refuse_failure)
        judged.addErrback(lambda failure: _log.failure("A request was not judged", failure))

    def allContentReceived(self) -> None:
        """The request is there: it is answered now, however long that takes."""
        if self._has_ended:
            return  # a part of it was too much
        self._set_deadline(None)
        self.is_in_hand = True
        super().allContentReceived()

    def requestDone(self, request: Request) -> None:
        """The request is answered; the next one may come."""
        self.is_in_hand = False
        super().requestDone(request)

    def find_client(self, request: Request) -> str | None:
        """The address of the client of a request; `ApiError` if a trusted proxy names none."""
        proxies, peer = self.site.proxies, _host(self.transport)
        if not proxies or not proxies.trusts(peer):
            return peer
        values = request.requestHeaders.getRawHeaders(b"x-forwarded-for", [])
        try:
            return proxies.client(peer, b",".join(values))
        except ValueError as error:
            raise bad_request(str(error)) from None

    # Refusing.

    def refuse(self, error: ApiError) -> None:
        """Answer what is not to be read any further, and end the connection soon."""
        if self._has_ended:
            return
        self._has_ended = True
        self.is_in_hand = False
        self.setTimeout(None)
        self._set_deadline(LINGER_SECONDS, self.loseConnection)
        is_head = self._request_line.startswith(b"HEAD ")
        self.transport.write(refusal(error, wall_clock(self.site.reactor)(), without_body=is_head))
        self.transport.resumeProducing()

    def _refuse_failure(self, failure: Failure) -> None:
        error = failure.value
        self.refuse(explain(error) if isinstance(error, Exception) else _SLOW)

    def _too_slow(self) -> None:
        self._deadline = None
        self.refuse(_SLOW)

    # Writing.

    def pauseProducing(self) -> None:
        """Note that the client does not read what is written."""
        if self._stall is None:
            self._stall = self.callLater(self.site.limits.stalled_seconds, self._stalled)
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """Note that the client has read all of it."""
        self._stop_stall()
        super().resumeProducing()
        if self.paused:  # a request is being judged
            self.transport.pauseProducing()

    def timeoutConnection(self) -> None:
        """End a silent connection, unless it only waits for the other side to read."""
        if self._stall is not None:
            self.setTimeout(self.timeOut)
        else:
            self.loseConnection()

    def _stalled(self) -> None:
        self._stall = None
        self.cut()

    def _stop_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _set_deadline(self, seconds: float | None, late: Any = None) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.callLater(seconds, late)


def _host(transport: Any) -> str | None:
    return getattr(transport.getPeer(), "host", None)
