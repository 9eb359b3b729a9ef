"""The completeness of a terminal: whether all its records of the last days are stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from ...manage.console.pages import (
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import TERMINAL
from ...manage.services import Services
from ...model import Device, DeviceState, Page
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from .model import CONCLUSIVE, CountFilter, CountState, DayCount
from .runner import CompletenessRunner
from .store import CountStore
from .verifying import CompletenessEndpoints, CompletenessRequest
from .views import why_without_outcome, words_of

SHOWN = 31
"""Days on the page."""
COMPARED = 7
"""Days that the button compares."""
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


class CompareForm(msgspec.Struct, frozen=True):
    """The button that compares the last days."""


class CompletenessPages:
    """The page of one terminal."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._comparisons = CompletenessEndpoints(
            services.store,
            services.registry,
            services.queue.writer,
            services.offers[CompletenessRunner],
        )

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and its form."""
        path, title = "/terminals/<sn>/completeness", Phrase("Completeness")
        return [
            ConsolePage(path=path, title=title, run=self.show, limited=(TERMINAL,)),
            ConsoleForm(path=path, fields=CompareForm, run=self.compare, limited=(TERMINAL,)),
        ]

    async def show(self, visit: Visit, sn: str) -> View:
        """Show the comparisons of a terminal, the newest first."""

        def find_thd(tx: Transaction) -> tuple[Device, list[DayCount]]:
            device = tx[DeviceStore].find(sn)
            if device is None:
                raise LookupError(Phrase("There is no such terminal."))
            part = Page(SHOWN, newest_first=True)
            return device, tx[CountStore].page(part, CountFilter(device=sn))

        device, found = await self._store.read(find_thd)
        return View(
            template="completeness.html",
            values={
                "sn": sn,
                "name": device.alias or sn,
                "is_approved": device.state is DeviceState.APPROVED,
                "days": [
                    (one, date.fromisoformat(one.day), *STATES[one.state], _details(one))
                    for one in found
                ],
            },
        )

    async def compare(self, visit: Visit, form: CompareForm, sn: str) -> Redirect:
        """Compare the last days now."""
        await self._comparisons.add(CompletenessRequest(devices=[sn], days=COMPARED), visit.caller)
        notice = Phrase("The last days are compared now. Look at this page again in a minute.")
        return Redirect(to=f"/terminals/{sn}/completeness", notice=notice)


def _details(count: DayCount) -> str:
    return words_of(count) if count.state in CONCLUSIVE else why_without_outcome(count)


def pages(services: Services) -> list[ConsoleRoute]:
    """The page of the completeness of a terminal."""
    return CompletenessPages(services).routes()
