"""Trace entry: one request of a terminal, or several equal consecutive ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import attrs
import msgspec

from ...model import Device

KEPT = 60
"""Most entries kept for each terminal, separately for served and for rejected requests. Anyone can
cause rejections, so these must not displace the terminal's own requests."""
ASKED_AGAIN = "UNKNOWN DEVICE"
"""Beginning of the answer that asks a terminal for the exchanges again, and serves nothing."""
FAILURE = 400
"""Lowest status of a reply that refuses a request."""


_POLL = "getrequest"
"""Last part of the path of polls."""


class TracedContent(msgspec.Struct, frozen=True, kw_only=True):
    """Description of a request and its reply, without values of tokens, keys or records."""

    method: str
    path: str
    """At most two segments of the path; further ones may be secret."""
    table: str | None = None
    """Value of `table=`, as sent."""
    arguments: Mapping[str, str] = {}
    """Arguments without secrets, as sent."""
    address: str | None = None
    status: int
    received: int | None = None
    """Size of the body of the first request in bytes; None if it was not declared."""
    sent: int
    """Size of the reply's body in bytes."""
    understood: str | None = None
    """Meaning of the request; None if it was not recognized."""
    answered: str
    """Summary of the reply."""


class TracedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive requests that are equal but for the length of the body; usually one."""

    writer: str
    """Id of the process that served them; identifies the entry together with `number`."""
    number: int
    device_id: int
    since_at: int
    """Time of the first request (ms)."""
    at: int
    """Time of the last request (ms)."""
    count: int
    refused: bool
    """Whether the status of the reply refuses them."""
    content: TracedContent

    @property
    def is_served(self) -> bool:
        """Whether they were served: neither refused nor answered with UNKNOWN DEVICE."""
        return not (self.refused or self.content.answered.startswith(ASKED_AGAIN))


@attrs.frozen
class LastRequests:
    """Access to the trace for capabilities that require it."""

    of: Callable[[Device], Awaitable[Sequence[TracedRequest]]]
    """Returns the last requests of a terminal, newest last, including those not written yet."""


def last_poll(requests: Sequence[TracedRequest]) -> int | None:
    """Return when a terminal last asked for commands (ms); None if no request shows it."""
    polls = [one.at for one in requests if one.content.path.rpartition("/")[2] == _POLL]
    return max(polls, default=None)
