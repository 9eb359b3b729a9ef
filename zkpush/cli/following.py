"""Following server-sent events across lost connections and restarts."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Never

import msgspec
from twisted.internet.task import deferLater

from .output import echo
from .replies import ApiFailure, Item, Unreachable

if TYPE_CHECKING:
    from .client import Api

_POSITION = b": position "
"""Start of the comment with the position of the stream."""
PAUSE = 1.0
"""Seconds between two attempts to reconnect."""


class EventStream:
    """Parser of server-sent events, independent of how they are split into pieces."""

    def __init__(self, take: Callable[[str, Item], None]) -> None:
        """`take` is called with the kind and the data of each event that has data."""
        self.last_event_id: str | None = None
        """Id of the last processed event, or the position of the stream after it."""
        self._take = take
        self.begin()

    def begin(self) -> None:
        """Discard an incomplete event at the start of a new reply."""
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, piece: bytes) -> None:
        """Parse the next piece of the reply."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(_POSITION):
                self.last_event_id = line.removeprefix(_POSITION).decode("ascii", "replace")
            elif line:
                name, _, value = line.decode("utf-8", "replace").partition(":")
                self._fields[name] = value.removeprefix(" ")
            else:
                self._dispatch()

    def _dispatch(self) -> None:
        fields, self._fields = self._fields, {}
        if "data" in fields:
            self._take(fields.get("event", ""), msgspec.json.decode(fields["data"], type=Item))
        # Set afterwards: if `take` fails, the event is sent again.
        self.last_event_id = fields.get("id", self.last_event_id)


async def follow(api: Api, kinds: str, take: Callable[[str, Item], None]) -> Never:
    """Pass on each event once, in order, forever.

    If the daemon cannot be reached at first, that is an error; later, the client reconnects.
    """
    events = EventStream(take)
    told = False

    def feed(piece: bytes) -> None:
        nonlocal told
        if told:
            told = False
            echo("The daemon is back.", err=True)
        events.feed(piece)

    while True:
        events.begin()
        try:
            await api.stream(
                "events", query={"kinds": kinds}, last_event_id=events.last_event_id, take=feed
            )
        except Unreachable:
            if events.last_event_id is None:
                raise
        except ApiFailure as error:
            if events.last_event_id is None or error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
        if not told:
            told = True
            echo("The connection is lost; waiting for the daemon.", err=True)
        await deferLater(api.clock, PAUSE)
