"""Replies that the library writes itself, and the heads of all replies.

No body contains the two letters `OK`, by which the clients of this library recognize success.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.web.http import RESPONSES, datetimeToString

from .messages import PLAIN

BAD_REQUEST = (400, b"This is not an HTTP request that can be served.\n")
TOO_LARGE = (413, b"The body is larger than this server is configured to take.\n")
SLOW = (408, b"The request did not come whole in time; send it again.\n")
CROWDED = (
    503,
    b"This server has as many connections as it is configured to take; try later.\n",
)
FULL = (503, b"Too much is being sent to this server; send it again later.\n")
STOPPING = (503, b"The server is being stopped; ask again later.\n")
OWN_REPLIES = (BAD_REQUEST, TOO_LARGE, SLOW, CROWDED, FULL, STOPPING)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MOST_HEADS = 256
"""Heads that are cached, for a second at most: most replies have one of a few."""


class ReplyHeads:
    """Writes the heads of replies."""

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
