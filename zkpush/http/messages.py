"""Requests and replies."""

from __future__ import annotations

import attrs
import msgspec

from ..device.downloads import Download

PLAIN = b"Content-Type: text/plain\r\n"
"""What the reply to a terminal is, but for files."""
OCTETS = b"Content-Type: application/octet-stream\r\n"
CHUNKED = -1
"""The length of a body that comes in chunks: it is not declared."""


@attrs.frozen(eq=False)
class FileReply:
    """A reply with bytes of a file, or with a header of its own."""

    status: int
    header: bytes
    """The lines that say what it is: in the place of `PLAIN`."""
    start: int = 0
    end: int = 0
    """Which bytes of the download are sent."""
    download: Download | None = None
    body: bytes = b""
    """What is sent if there is no download."""

    def __len__(self) -> int:
        return len(self.body) if self.download is None else self.end - self.start


Plain = tuple[int, bytes]
"""Status and body."""
Reply = Plain | FileReply


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


def is_of_browser(name: bytes, value: bytes) -> bool:
    """Whether a header is one that browsers send, and terminals do not."""
    lower = name.lower()
    return (
        lower == b"origin"
        or lower.startswith(b"sec-fetch-")
        or (lower == b"user-agent" and value.lower().startswith(b"mozilla/"))
    )
