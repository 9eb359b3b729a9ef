"""Following what happens: server-sent events, across lost connections and restarts."""

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

PAUSE = 1.0
"""Seconds between two tries to come back."""


class EventStream:
    """Takes server-sent events apart, however they are cut into pieces."""

    def __init__(self, take: Callable[[str, Item], None]) -> None:
        """`take` gets the kind and the data of each event; not those that have no data."""
        self.last_event_id: str | None = None
        """The id of the last event that was taken."""
        self._take = take
        self.begin()

    def begin(self) -> None:
        """Drop half an event: what follows is another reply."""
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the reply."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if line:
                name, _, value = line.decode("utf-8", "replace").partition(":")
                self._fields[name] = value.removeprefix(" ")
            else:
                self._dispatch()

    def _dispatch(self) -> None:
        fields, self._fields = self._fields, {}
        if "data" in fields:
            self._take(fields.get("event", ""), msgspec.json.decode(fields["data"], type=Item))
        # Not before it is taken: if that fails, it is told again.
        self.last_event_id = fields.get("id", self.last_event_id)


async def follow(api: Api, kinds: str, take: Callable[[str, Item], None]) -> Never:
    """Hand on each event once, in order, for ever.

    If the daemon is not there at first, that is an error; later it is waited for.
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
