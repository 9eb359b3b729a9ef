"""The page of visitors in the console."""

from __future__ import annotations

from zkpush.plugin.pages import (
    ConsolePage,
    NavGroup,
    NavPlace,
    Page,
    Phrase,
    Services,
    View,
    Visit,
)

from .store import VisitorStore

MOST = 50
"""Visitors on the page."""


def pages(services: Services) -> list[ConsolePage]:
    """The page of visitors."""

    async def show(visit: Visit) -> View:
        newest = Page(MOST, newest_first=True)
        found = await services.store.read(lambda tx: tx[VisitorStore].page(newest, None))
        return View(template="visitors.html", values={"visitors": found})

    place = NavPlace(NavGroup.DAILY, 90, "people")
    return [ConsolePage(path="/visitors", title=Phrase("Visitors"), run=show, nav=place)]
