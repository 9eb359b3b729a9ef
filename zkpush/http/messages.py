"""Requests and replies."""

from __future__ import annotations

from typing import Protocol

import attrs
import msgspec

from .sending import Read

PLAIN = b"Content-Type: text/plain\r\n"
"""The header line of a plain text."""
OCTETS = b"Content-Type: application/octet-stream\r\n"
CHUNKED = -1
"""The length of a body that comes in chunks: it is not declared."""


@attrs.frozen(eq=False)
class FileReply:
    """A reply with a body that is read while it is sent, or with header lines of its own."""

    status: int
    header: bytes
    """Header lines that describe the body, in place of `PLAIN`."""
    start: int = 0
    end: int = 0
    """The bytes of the content that are sent."""
    read: Read | None = None
    """Reads the content; None if `body` is the whole of it."""
    body: bytes = b""

    def __len__(self) -> int:
        return len(self.body) if self.read is None else self.end - self.start


Plain = tuple[int, bytes]
"""Status and body."""
Reply = Plain | FileReply


class BodyCharge(Protocol):
    """Memory that is set aside for the body of one request."""

    def grow(self, size: int) -> bool:
        """Set aside more, for a body without a declared length; False if there is no memory."""

    def release(self) -> None:
        """Return all of it."""


class RequestHead(msgspec.Struct, frozen=True, gc=False):
    """A request without its body, as it came."""

    method: str
    """In capitals, however it was sent."""
    path: bytes
    query: bytes
    address: str | None
    """Of the client; one behind a trusted proxy has its own."""
    length: int = 0
    """Declared bytes of the body; `CHUNKED` where they are not declared."""
    is_browser: bool = False
    """Whether a browser sent it, by its headers."""
    range: bytes | None = None
    """The header of that name."""
    cookie: bytes | None = None
    """The headers of that name, joined."""
    content_type: bytes | None = None
    content_encoding: bytes | None = None
    is_proxied: bool = False
    """Whether an HTTP proxy has passed it on, by its headers."""


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A request whose body is read. Applications add fields in a subclass (`kw_only`)."""

    longest: int
    """Most bytes of a body without a declared length, within `body_bytes` of the limits."""
    charge: BodyCharge | None
    """Released when the request is answered or its connection ends; None for no charge."""
    is_dated: bool | None = None
    """Whether the reply has a `Date`: some clients set their clocks by it. None leaves that to the
    site."""

    @property
    def makes_way_last(self) -> bool:
        """Whether other accepted requests make way for a new connection before this one."""
        return False


Verdict = Accepted | Plain
"""The decision on a request by its head: it goes on, or is answered with this."""


def is_of_browser(name: bytes, value: bytes) -> bool:
    """Whether a header is one that browsers send, and terminals do not."""
    lower = name.lower()
    return (
        lower == b"origin"
        or lower.startswith(b"sec-fetch-")
        or (lower == b"user-agent" and value.lower().startswith(b"mozilla/"))
    )
