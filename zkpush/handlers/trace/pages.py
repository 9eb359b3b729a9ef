"""The last requests of a terminal, as they come."""

from __future__ import annotations

from collections.abc import Mapping

from ...manage.console.pages import ConsolePage, ConsoleRoute, LivePart, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import TERMINAL
from ...manage.services import Services
from ...persist.devices import DeviceStore
from ...protocol.fields import Scope
from .model import LastRequests
from .wording import answer_in_words

SHOWN = 60
"""Requests on the page."""
EVERY = 3.0
"""Seconds after which they are read again."""
REQUESTS: Mapping[str, Phrase] = {
    one.text: one
    for one in (
        Phrase("lookup of a user"),
        Phrase("initialization exchange"),
        Phrase("background verification"),
        Phrase("upload"),
        Phrase("upload of photos"),
        Phrase("exchange of keys"),
        Phrase("poll for commands"),
        Phrase("answers to commands"),
        Phrase("heartbeat"),
        Phrase("download of a file"),
    )
}
"""Meanings of requests of attendance terminals; those of other families are in English."""


class TracePages:
    """The page and its live part."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._requests = services.offers[LastRequests]

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and its live part."""
        return [
            ConsolePage(
                path="/terminals/<sn>/requests",
                title=Phrase("Last requests"),
                run=self.show,
                scope=Scope.READ,
                limited=(TERMINAL,),
            ),
            LivePart(
                name="trace-requests",
                run=self.part,
                every=EVERY,
                scope=Scope.READ,
                limited=(TERMINAL,),
            ),
        ]

    async def show(self, visit: Visit, sn: str) -> View:
        """Show the last requests of a terminal."""
        return View(
            template="requests.html",
            values=await self._of(sn),
            live=[f"trace-requests:{sn}"],
        )

    async def part(self, visit: Visit, argument: str | None) -> View:
        """Show the last requests as they are now."""
        return View(template="_requests.html", values=await self._of(argument or ""))

    async def _of(self, sn: str) -> Mapping[str, object]:
        device = await self._store.read(lambda tx: tx[DeviceStore].find(sn))
        if device is None:
            raise LookupError(Phrase("There is no such terminal."))
        found = await self._requests.of(device)
        return {
            "sn": sn,
            "name": device.alias or sn,
            "requests": [*reversed(found[-SHOWN:])],
            "words": REQUESTS,
            "answer_of": answer_in_words,
        }


def pages(services: Services) -> list[ConsoleRoute]:
    """The page of the last requests."""
    return TracePages(services).routes()
