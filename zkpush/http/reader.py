"""Request parsing with llhttp (`httptools`), within the limits of the site.

llhttp runs in its strict mode, which refuses ambiguous requests: two lengths, a length with chunks,
folded headers, bare line ends.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING

import httptools
import msgspec
from twisted.internet.interfaces import IAddress

from .connection import Connection, LimitExceeded
from .messages import CHUNKED, SEC_FETCH, Accepted, RequestHead, Verdict, is_agent_of_browser
from .replies import BAD_REQUEST, FULL, TOO_LARGE

if TYPE_CHECKING:
    from .site import HttpSite

LONG_BODY = 64 * 1024
"""Longer bodies (bytes) are collected in a buffer instead of a list of parts."""
VERSIONS = ("1.0", "1.1")
_MOST_METHOD = 8
"""Maximum length of a served method, including the space after it."""


class UnservedRequest(Exception):
    """A well-formed request is not served because of its version or an upgrade with a body."""


class PendingRequest(msgspec.Struct, gc=False):
    """A request that is arriving or unanswered."""

    head: RequestHead
    version: str
    keep: bool
    verdict: Verdict | None = None
    """None until the request is judged."""
    body: bytes | list[bytes] = b""
    """The body; a list if it arrived in parts."""
    long: BytesIO | None = None
    """A long body in a buffer, because joining would copy it."""

    def take(self) -> bytes:
        """Return the body and drop it from the request."""
        if self.long is not None:
            body = self.long.getvalue()
        else:
            body = b"".join(self.body) if isinstance(self.body, list) else self.body
        self.body, self.long = b"", None
        return body

    def release(self) -> None:
        """Release the memory charge, once the request is answered or its client is gone."""
        if isinstance(self.verdict, Accepted) and self.verdict.charge is not None:
            self.verdict.charge.release()


class RequestReader(Connection):
    """Parses input into `PendingRequest`s; a subclass judges and answers them."""

    # Class attributes serve as defaults, because most connections never change them.
    _begun = b""
    """The first bytes of a request whose method is incomplete."""
    _target = b""
    _range: bytes | None = None
    _if_range: bytes | None = None
    _cookie: bytes | None = None
    _content_type: bytes | None = None
    _content_encoding: bytes | None = None
    _forwarded: bytes | None = None
    _is_proxied = False
    _expects = False
    """Whether the client waits for `100 Continue` before it sends the body."""
    _length = 0
    _is_browser = False
    _in_head = False
    _head_bytes = 0
    _unread = 0
    """Header bytes that the parser holds but has not reported yet."""
    _received = 0
    """Received body bytes of the arriving request."""
    _request: PendingRequest | None = None
    """The request whose body is arriving."""
    _ignores = False
    """Whether further requests are ignored."""
    _discarding = 0
    """Body bytes of a refused request still to be read."""

    def __init__(self, site: HttpSite, address: IAddress | None, awaits_proxy: bool) -> None:
        super().__init__(site, address, awaits_proxy)
        self._parser = httptools.HttpRequestParser(self)
        self._queue: collections.deque[PendingRequest] = collections.deque()
        self.begun_at = site.tick
        """Tick of the site when the arriving request began."""

    def _has_head(self, request: PendingRequest) -> None:
        """Judge a request whose head has arrived."""
        raise NotImplementedError

    def _discard(self, length: int) -> None:
        """Discard `length` body bytes of a refused request."""
        raise NotImplementedError

    def _parse(self, data: bytes) -> None:
        """Parse data; raises `httptools.HttpParserError` for bad HTTP or an exceeded limit."""
        is_begun, received = self._in_head or self._request is not None, self._received
        if not is_begun:
            data = self._begun + data
            if len(data) < _MOST_METHOD and data.isalpha():
                self._begun = data
                return
            self._begun = b""
            data = _with_plain_method(data)
        self._parser.feed_data(data)
        if is_begun and self._received == received and (self._in_head or self._request is not None):
            # The parser withholds a header until it is complete. Headers may follow chunks as well.
            self._unread += len(data)
            if self._unread > self._site.head_bytes:
                raise LimitExceeded("head_bytes", BAD_REQUEST)

    # Called by the parser.

    def on_message_begin(self) -> None:
        """Start a request."""
        self.active_at = self.begun_at = self._site.tick
        if self._awaits_proxy:
            self._take_proxy_header()
        self._in_head = True
        if self._head_bytes:
            self._forget_head()

    def _forget_head(self) -> None:
        """Forget the previous request of the connection."""
        self._target = b""
        self._range = self._if_range = self._cookie = self._forwarded = None
        self._content_type = self._content_encoding = None
        self._expects = self._is_browser = self._is_proxied = False
        self._length = 0
        self._head_bytes = 0
        self._unread = 0
        self._received = 0

    def on_url(self, part: bytes) -> None:
        """Append to the target of the request."""
        self._target += part
        self._head_bytes += len(part)
        if self._head_bytes > self._site.head_bytes:
            raise LimitExceeded("head_bytes", BAD_REQUEST)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Handle a header."""
        self._head_bytes += len(name) + len(value) + 4  # ": " and the end of the line
        if self._head_bytes > self._site.head_bytes:
            raise LimitExceeded("head_bytes", BAD_REQUEST)
        lower = name.lower()
        read = _READERS.get(lower)
        if read is not None:
            read(self, value)
        elif lower.startswith(SEC_FETCH):
            self._is_browser = True

    def _read_length(self, value: bytes) -> None:
        self._length = int(value)
        if self._length > self._site.body_bytes:
            raise LimitExceeded("body_bytes", TOO_LARGE)

    def _read_transfer(self, value: bytes) -> None:
        self._length = CHUNKED

    def _read_agent(self, value: bytes) -> None:
        self._is_browser = self._is_browser or is_agent_of_browser(value)

    def _read_origin(self, value: bytes) -> None:
        self._is_browser = True

    def _read_cookie(self, value: bytes) -> None:
        self._cookie = value if self._cookie is None else b"%b; %b" % (self._cookie, value)

    def _read_type(self, value: bytes) -> None:
        self._content_type = value

    def _read_encoding(self, value: bytes) -> None:
        self._content_encoding = value

    def _read_expectation(self, value: bytes) -> None:
        self._expects = value.lower() == b"100-continue"

    def _read_via(self, value: bytes) -> None:
        self._is_proxied = True

    def _read_forwarded(self, value: bytes) -> None:
        self._is_proxied = True
        if self._trusted:
            forwarded = self._forwarded
            self._forwarded = value if forwarded is None else forwarded + b"," + value

    def _read_range(self, value: bytes) -> None:
        # Two Range headers are ignored.
        self._range = value if self._range is None else b""

    def _read_condition(self, value: bytes) -> None:
        self._if_range = value

    def on_headers_complete(self) -> None:
        """End the head; a body may follow."""
        self._in_head = False
        if self._ignores:
            return
        parser = self._parser
        version = parser.get_http_version()
        if version not in VERSIONS or (self._length and parser.should_upgrade()):
            # The parser does not read the body of an upgrade request.
            raise UnservedRequest
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
            self._content_type,
            self._content_encoding,
            self._is_proxied,
            self._if_range,
        )
        request = self._request = PendingRequest(head, version, keep)
        self.active_at = self._site.tick
        self._has_head(request)

    def on_body(self, part: bytes) -> None:
        """Handle a part of the body."""
        length = len(part)
        if self._ignores:
            self._discard(length)
            return
        self._received += length
        request = self._request
        if request is None:
            return
        verdict = request.verdict
        if request.head.length == CHUNKED and isinstance(verdict, Accepted):
            if self._received > min(verdict.longest, self._site.body_bytes):
                raise LimitExceeded("body_bytes", TOO_LARGE)
            if verdict.charge is not None and not verdict.charge.grow(length):
                raise LimitExceeded(None, FULL)
        if request.long is not None:
            request.long.write(part)
        elif request.head.length > LONG_BODY:
            long = BytesIO()
            long.write(request.take())
            long.write(part)
            request.long = long
        elif isinstance(request.body, list):
            request.body.append(part)
        else:
            request.body = [request.body, part] if request.body else part

    def on_message_complete(self) -> None:
        """Queue the complete request."""
        if self._request is not None:
            self._queue.append(self._request)
        self._request = None


_READERS: Mapping[bytes, Callable[[RequestReader, bytes], None]] = {
    b"content-encoding": RequestReader._read_encoding,
    b"content-length": RequestReader._read_length,
    b"content-type": RequestReader._read_type,
    b"cookie": RequestReader._read_cookie,
    b"expect": RequestReader._read_expectation,
    b"if-range": RequestReader._read_condition,
    b"origin": RequestReader._read_origin,
    b"range": RequestReader._read_range,
    b"transfer-encoding": RequestReader._read_transfer,
    b"user-agent": RequestReader._read_agent,
    b"via": RequestReader._read_via,
    b"x-forwarded-for": RequestReader._read_forwarded,
}
"""The headers that matter here, and what reads them."""


def _with_plain_method(data: bytes) -> bytes:
    """Convert the method to capitals: old firmware sends `Get`, which the parser rejects."""
    if data.startswith((b"GET ", b"POST ")):
        return data
    method, space, rest = data[:_MOST_METHOD].partition(b" ")
    if space and method.isalpha() and not method.isupper():
        return method.upper() + space + rest + data[_MOST_METHOD:]
    return data
