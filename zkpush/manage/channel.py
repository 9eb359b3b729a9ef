"""Connections to the management endpoint: limits, and refusal before the body is read.

Theory of operation. twisted.web parses HTTP. When the head of a request with a body is complete,
reading stops until the API has checked it: path, method, token, scope and length, and until there
is memory for the body (`bodymemory`). A refusal is sent then, before `100 Continue` and before any
byte of the body is kept. Some of the following data is dropped, so that the client can read the
answer, and the connection is closed.

Everything has a deadline: a silent connection, the head from its first byte on, the whole request,
and a reply that the client does not read. Receiving a byte does not extend a deadline.
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
from ..device.budget import Charge
from .errors import ApiError, bad_request, explain, refusal, too_large

if TYPE_CHECKING:
    from .site import ManageSite

MOST_HEADERS = 100
MOST_DIGITS = 19
"""Maximum number of digits of a Content-Length; Python itself refuses to parse longer numbers."""
LINGER_SECONDS = 2
"""Seconds that a connection stays open after a refusal, for the client to read it."""
LINGER_BYTES = 4 * 1024 * 1024
"""Maximum number of bytes that are read and dropped in that time."""
CLOSE_SECONDS = 15
"""Maximum number of seconds for closing a connection."""
_TLS = b"\x16\x03"
"""First bytes of a TLS handshake (RFC 8446, 5.1)."""
_NO_TLS = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_SLOW = ApiError(HTTPStatus.REQUEST_TIMEOUT, "The request did not come whole in time.")
_log = Logger()


class ManageRequest(Request):
    """A request whose body is kept in memory, because it may be secret.

    Twisted's own request may write the body to disk. At most `room` bytes of the body are kept;
    `room` is 0 until the API has admitted the request.
    """

    room = 0
    """Maximum length of the body, in bytes."""
    charge: Charge | None = None
    """Memory for the body."""
    language: str | None = None
    """Language that an account has chosen, once its session is known."""
    channel: ManageChannel
    content: BytesIO

    def gotLength(self, length: int | None) -> None:
        """Prepare for the body."""
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a chunk of the body; refuse the request if the body gets longer than `room`."""
        if self.content.tell() + len(data) <= self.room:
            super().handleContentChunk(data)
        else:
            self.channel.refuse(too_large(self.room))

    def take_content(self) -> bytes:
        """Return the body, which the request holds no longer: a file is large."""
        content = self.content.getvalue()
        self.content = BytesIO()
        return content

    def carried_out(self, result: Any = None) -> Any:
        """Give up the body and its memory, which the reply does not need; return the argument."""
        self.content = BytesIO()
        if self.charge is not None:
            self.charge.release()
            self.charge = None
        return result

    def find_client(self) -> str | None:
        """Return the address of the client, also behind a trusted proxy; None for a Unix socket.

        `ApiError` if a trusted proxy sends an invalid address.
        """
        return self.channel.find_client(self)

    def recognised(self, caller: str | None) -> None:
        """Record whose valid token or session the request has; None without one."""
        channel = getattr(self, "channel", None)  # removed when the client disconnects
        if channel is not None:
            channel.caller = caller


class ManageChannel(HTTPChannel):
    """One connection to the management endpoint."""

    transport: Any
    """TCP, or TLS over TCP; both can be paused and aborted."""
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
        self.caller: str | None = None
        """Who makes the request; None without a valid token or session."""
        self.is_in_hand = False
        """Whether a request is being answered, or its body is being read or waits for memory."""
        self._arriving: ManageRequest | None = None
        """The request whose body has not arrived completely."""
        self._waiting: Deferred[Charge] | None = None
        self._request_line = b""
        self._is_located = False
        self._has_ended = False
        """Whether further data is dropped."""
        self._dropped = 0
        self._deadline: IDelayedCall | None = None
        self._stall: IDelayedCall | None = None

    @property
    def is_known(self) -> bool:
        """Whether the request has a valid token or session."""
        return self.caller is not None

    # Connecting and closing.

    def connectionMade(self) -> None:
        """Register the connection, or cut it."""
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
        """Unregister the connection."""
        self._has_ended = True
        self._set_deadline(None)
        self._stop_stall()
        self._forget_body()
        self.site.connections.remove(self)
        super().connectionLost(reason)

    def cut(self) -> None:
        """Abort the connection at once."""
        self._has_ended = True
        self.transport.abortConnection()

    def loseConnection(self) -> None:
        """Close the connection once pending data is written, or after a deadline."""
        self._set_deadline(CLOSE_SECONDS, self.cut)
        super().loseConnection()

    # Reading.

    def dataReceived(self, data: bytes) -> None:
        """Process data, or drop it if the connection is being closed."""
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
        """Answer a TLS client in plain text, so that it reports a port without TLS."""
        self.site.struck("tls", None, self.address)
        self._has_ended = True
        self.transport.write(_NO_TLS)
        self.loseConnection()

    def lineReceived(self, line: bytes) -> None:
        """Process a line of a head, and keep the first one."""
        before = len(self.requests)
        super().lineReceived(line)
        if len(self.requests) > before:
            self._request_line = line

    def headerReceived(self, line: bytes) -> bool:
        """Process a header; a Content-Length with too many digits is made invalid."""
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and len(value.strip()) > MOST_DIGITS:
            line = b"Content-Length: too long"
        return bool(super().headerReceived(line))

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is longer than the limit for a whole head."""
        self.refuse(ApiError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too long."))

    def allHeadersReceived(self) -> None:
        """Check a request with a body now; one without a body is checked when it is answered."""
        request = self.requests[-1]
        expected = request.requestHeaders.getRawHeaders(b"expect", [])
        request.requestHeaders.removeHeader(b"expect")  # twisted.web would answer it
        super().allHeadersReceived()
        if self.length == 0:
            return
        # The pausing of HTTPChannel is for replies; this one stops the parser as well.
        LineReceiver.pauseProducing(self)
        method, target, version = (*self._request_line.split(b" "), b"", b"")[:3]
        continues = version == b"HTTP/1.1" and [each.lower() for each in expected] == [
            b"100-continue"
        ]

        def go_on(charge: Charge) -> None:
            request.charge = charge
            self._waiting = None
            if self._has_ended:
                request.carried_out()
                return
            self._arriving = request
            self.is_in_hand = True
            self._set_deadline(self.site.limits.request_seconds, self._too_slow)
            if continues:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            LineReceiver.resumeProducing(self)

        judged = Deferred.fromCoroutine(
            self._admit(request, method, target.partition(b"?")[0], self.length)
        )
        judged.addCallbacks(go_on, self._refuse_failure)
        judged.addErrback(lambda failure: _log.failure("A request was not judged", failure))

    async def _admit(
        self, request: ManageRequest, method: bytes, path: bytes, length: int | None
    ) -> Charge:
        """Check a request with a body, and take memory for it."""
        pages = self.site.pages
        request.room = await pages.judge(request, method, path, length)
        size = request.room if length is None else length
        try:
            return await self.site.bodies.take(self.caller, self.address, size, self._wait)
        except ApiError as error:
            raise pages.refused(request, path, error) from None

    def _wait(self, waiting: Deferred[Charge]) -> None:
        """Wait for memory; its own deadline is the only one meanwhile."""
        self._waiting = waiting
        self.is_in_hand = True
        self.setTimeout(None)
        self._set_deadline(None)

    def _forget_body(self) -> None:
        """Give up a body that has not arrived, and its memory."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._arriving is not None:
            self._arriving.carried_out()
            self._arriving = None

    def allContentReceived(self) -> None:
        """Answer the complete request, without a deadline."""
        if self._has_ended:
            return  # the body was too long
        self._arriving = None
        self._set_deadline(None)
        self.is_in_hand = True
        super().allContentReceived()

    def requestDone(self, request: Request) -> None:
        """Allow the next request after an answered one."""
        self.is_in_hand = False
        super().requestDone(request)

    def find_client(self, request: Request) -> str | None:
        """Return the address of the client; `ApiError` if a trusted proxy sends an invalid one."""
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
        """Answer a request that is not read to its end, and close the connection soon."""
        if self._has_ended:
            return
        self._has_ended = True
        self.is_in_hand = False
        self._forget_body()
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
        """Start the deadline for a client that does not read the reply."""
        if self._stall is None:
            self._stall = self.callLater(self.site.limits.stalled_seconds, self._stalled)
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """Stop that deadline: the client has read the data."""
        self._stop_stall()
        super().resumeProducing()
        if self.paused:  # a request is being checked
            self.transport.pauseProducing()

    def timeoutConnection(self) -> None:
        """Close a silent connection, unless the server waits for the client to read."""
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
