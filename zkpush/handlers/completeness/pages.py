"""The completeness of a terminal: whether all its records of the last days are stored."""

from __future__ import annotations

from collections.abc import Mapping

from ...manage.console.pages import ConsolePage, ConsoleRoute, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...model import Page
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from .model import CountFilter, CountState, DayCount
from .store import CountStore
from .views import words_of

SHOWN = 31
"""Days on the page."""
STATES: Mapping[CountState, tuple[Phrase, str]] = {
    CountState.WAITING: (Phrase("waits for the terminal"), "calm"),
    CountState.COUNTING: (Phrase("is counted now"), "calm"),
    CountState.FETCHING: (Phrase("missing records are fetched"), "calm"),
    CountState.RECOUNTING: (Phrase("is counted again"), "calm"),
    CountState.COMPLETE: (Phrase("complete"), "good"),
    CountState.SURPLUS: (Phrase("complete, with more than the terminal has"), "good"),
    CountState.SHORT: (Phrase("records are missing"), "bad"),
    CountState.UNSUPPORTED: (Phrase("the terminal cannot count"), "calm"),
    CountState.NOT_ANSWERED: (Phrase("no answer"), "warn"),
    CountState.CANCELLED: (Phrase("cancelled"), "calm"),
}
"""Words and kinds of badges of the states."""


class CompletenessPages:
    """The page of one terminal."""

    def __init__(self, services: Services) -> None:
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the page."""
        title = Phrase("Completeness")
        return [ConsolePage(path="/terminals/<sn>/completeness", title=title, run=self.show)]

    async def show(self, visit: Visit, sn: str) -> View:
        """Show the comparisons of a terminal, the newest first."""

        def find_thd(tx: Transaction) -> tuple[str, list[DayCount]]:
            device = tx[DeviceStore].find(sn)
            if device is None:
                raise LookupError(Phrase("There is no such terminal."))
            part = Page(SHOWN, newest_first=True)
            return device.alias or sn, tx[CountStore].page(part, CountFilter(device=sn))

        name, found = await self._store.read(find_thd)
        return View(
            template="completeness.html",
            values={
                "sn": sn,
                "name": name,
                "days": [(one, *STATES[one.state], words_of(one)) for one in found],
            },
        )


def pages(services: Services) -> list[ConsoleRoute]:
    """The page of the completeness of a terminal."""
    return CompletenessPages(services).routes()
