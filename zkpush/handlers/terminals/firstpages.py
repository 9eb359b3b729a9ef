"""The page of the first terminal: what to type into its menu, and that it has come."""

from __future__ import annotations

from collections.abc import Mapping

from ...manage.console.forms import NOTHING_ENTERED
from ...manage.console.pages import ConsolePage, ConsoleRoute, LivePart, View, of_whole_site
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...manage.views import ProblemView
from ...model import Device, DeviceState, Page
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...problems import ProblemCode
from .condition import seen_terminals
from .entering import server_entries

MOST_WAITING = 20
"""Waiting terminals that are shown before a list."""
FIRST = Phrase(
    "Your account is limited to areas, and a new terminal is in none of them yet. Somebody whose "
    "account has no limit puts it into your area."
)
"""Why limited accounts connect no terminal."""
CHANGES = ("device", "problem")
"""Kinds of events that change what is shown of a terminal."""


class FirstTerminalPages:
    """Waits for the first terminal."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and its live part."""
        return of_whole_site(
            [
                ConsolePage(
                    path="/first-terminal", title=Phrase("Connect a terminal"), run=self.show
                ),
                LivePart(
                    name="terminals-first",
                    run=self.part,
                    kinds=(*CHANGES, "attendance"),
                    every=5.0,
                ),
            ],
            FIRST,
        )

    async def show(self, visit: Visit) -> View:
        """Say what to type into a terminal, and wait for it."""
        settings = self._services.settings
        urls = self._services.installation.urls()[:-1]
        entries = server_entries(urls, settings.commands.public_url)
        values = {**await self._values(), "entries": entries, "entry": NOTHING_ENTERED}
        return View(template="first.html", values=values, live=["terminals-first"])

    async def part(self, visit: Visit, argument: str | None) -> View:
        """Show the terminals that have come."""
        return View(template="_first.html", values=await self._values())

    async def _values(self) -> Mapping[str, object]:
        def find(tx: Transaction) -> tuple[list[Device], list[Device]]:
            store = tx[DeviceStore]
            newest = Page(MOST_WAITING, newest_first=True)
            return (
                store.search(newest, state=DeviceState.PENDING.value),
                store.search(newest, state=DeviceState.APPROVED.value),
            )

        window = self._services.registry.online_window()
        waiting, approved = await self._store.read(find)
        problems = await self._services.problems.of_server()
        return {
            "problems": [
                ProblemView.of_server(one)
                for one in problems
                if one.code == ProblemCode.TLS_ON_PLAIN
            ],
            "waiting": seen_terminals(self._services.registry, waiting, window),
            "approved": seen_terminals(self._services.registry, approved, window),
        }
