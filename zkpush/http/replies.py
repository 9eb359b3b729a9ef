"""Replies that the library sends itself.

No body contains the two letters `OK`, by which clients of this library recognize success.
"""

from __future__ import annotations

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
