"""Requests and replies."""

from __future__ import annotations

from typing import Protocol

import attrs
import msgspec

from .sending import Read

PLAIN = b"Content-Type: text/plain\r\n"
"""The header line of plain text."""
OCTETS = b"Content-Type: application/octet-stream\r\n"
SEC_FETCH = b"sec-fetch-"
"""Beginning of the names of headers that only browsers send."""
CHUNKED = -1
"""The length of a chunked body, which is not declared."""


@attrs.frozen(eq=False)
class FileReply:
    """A reply whose body is read while it is sent, or with its own header lines."""

    status: int
    header: bytes
    """Header lines that describe the body, in place of `PLAIN`."""
    start: int = 0
    end: int = 0
    """The range of content bytes to send."""
    read: Read | None = None
    """Reads the content; None if `body` is all of it."""
    body: bytes = b""

    def __len__(self) -> int:
        return len(self.body) if self.read is None else self.end - self.start


Plain = tuple[int, bytes]
"""Status and body."""


class ExplainedReply(tuple[int, bytes]):
    """A plain reply with its reason, which is for the trace and not for the client."""

    reason: str

    def __new__(cls, reply: Plain, reason: str) -> ExplainedReply:
        """Add a reason to a reply."""
        made = super().__new__(cls, reply)
        made.reason = reason
        return made


class ExplainedBody(bytes):
    """The body of a reply, with a remark that is for the trace and not for the client."""

    remark: str

    def __new__(cls, body: bytes, remark: str) -> ExplainedBody:
        """Add a remark to a body."""
        made = super().__new__(cls, body)
        made.remark = remark
        return made


Reply = Plain | FileReply


class BodyCharge(Protocol):
    """Memory reserved for the body of one request."""

    def grow(self, size: int) -> bool:
        """Reserve more, for a body of undeclared length; False if there is no memory."""

    def release(self) -> None:
        """Release all of it."""


class RequestHead(msgspec.Struct, frozen=True, gc=False):
    """A request without its body, as it was received."""

    method: str
    """The method, converted to capitals."""
    path: bytes
    query: bytes
    address: str | None
    """Address of the client, or the one that a trusted proxy names."""
    length: int = 0
    """Declared length of the body in bytes; `CHUNKED` if undeclared."""
    is_browser: bool = False
    """Whether its headers are a browser's."""
    range: bytes | None = None
    """The Range header."""
    cookie: bytes | None = None
    """The Cookie headers, joined."""
    content_type: bytes | None = None
    content_encoding: bytes | None = None
    is_proxied: bool = False
    """Whether its headers show that an HTTP proxy forwarded it."""
    if_range: bytes | None = None
    """The If-Range header."""


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A request whose body is read. Applications add fields in a subclass (`kw_only`)."""

    longest: int
    """Maximum length in bytes of a body of undeclared length, within the limit `body_bytes`."""
    charge: BodyCharge | None
    """The memory charge, released when the request is answered or its connection ends; None for no
    charge."""
    is_dated: bool | None = None
    """Whether the reply has a `Date`, by which some clients set their clocks. None leaves that to
    the site."""

    @property
    def makes_way_last(self) -> bool:
        """Whether other accepted requests make way for a new connection before this one."""
        return False


class Declined(msgspec.Struct, frozen=True, gc=False):
    """A request that is answered by its head. Applications add fields in a subclass (`kw_only`)."""

    reply: Plain
    is_dated: bool | None = None
    """Whether the reply has a `Date`, as in `Accepted`."""


Verdict = Accepted | Declined | Plain
"""The decision on a request by its head: accept it, or send this reply."""


def is_of_browser(name: bytes, value: bytes) -> bool:
    """Whether a header is one that browsers send and terminals do not."""
    lower = name.lower()
    return (
        lower == b"origin"
        or lower.startswith(SEC_FETCH)
        or (lower == b"user-agent" and is_agent_of_browser(value))
    )


def is_agent_of_browser(value: bytes) -> bool:
    """Whether a `User-Agent` is that of a browser."""
    return value[:8].lower() == b"mozilla/"
