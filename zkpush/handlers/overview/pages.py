"""The start page."""

from __future__ import annotations

from ...manage.console.pages import ConsolePage, ConsoleRoute, NavGroup, NavPlace, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services


class OverviewPages:
    """The start page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages."""
        return [
            ConsolePage(
                path="/",
                title=Phrase("Overview"),
                run=self.show,
                nav=NavPlace(NavGroup.DAILY, 10, "home"),
            )
        ]

    async def show(self, visit: Visit) -> View:
        """Show the state of the server."""
        return View(template="overview.html")


def pages(services: Services) -> list[ConsoleRoute]:
    """The start page."""
    return OverviewPages(services).routes()
