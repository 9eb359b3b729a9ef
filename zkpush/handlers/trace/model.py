"""One request of a terminal as the trace shows it, or several equal ones in a row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import attrs
import msgspec

from ...model import Device

KEPT = 60
"""Served requests, and refused ones, that are kept of each terminal: either kind by itself, so that
refusals, which anybody can cause, leave room for what the terminal itself sent."""


class TracedContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a request was and how it was answered. No values of tokens, keys or records."""

    method: str
    path: str
    """At most two parts of it; the others may be secret."""
    table: str | None = None
    """The value of `table=`, as sent."""
    arguments: Mapping[str, str] = {}
    """Those arguments that hold no secrets, as sent."""
    address: str | None = None
    status: int
    received: int | None = None
    """Bytes of the body; None where they were not declared."""
    sent: int
    """Bytes of the body of the reply."""
    understood: str | None = None
    """What the request was taken for; None if it was taken for nothing."""
    answered: str
    """The reply in words."""


class TracedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Equal requests in a row; most often one."""

    writer: str
    """The process that served them; with `number`, the identity."""
    number: int
    device_id: int
    since_at: int
    """When the first came (ms)."""
    at: int
    """When the last came (ms)."""
    count: int
    refused: bool
    content: TracedContent


@attrs.frozen
class LastRequests:
    """Reads the trace, for capabilities that require it."""

    of: Callable[[Device], Awaitable[Sequence[TracedRequest]]]
    """The last requests of a terminal, also those that are not written yet; the newest last."""
