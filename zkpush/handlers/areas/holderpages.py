"""Page of the people of a terminal: who is on it, and who is to be there."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from ...manage.console.pages import ConsolePage, ConsoleRoute, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import TERMINAL
from ...manage.services import Services
from ...model import DEFAULT_AREA, Page
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ..people.store import PeopleStore, PersonSurvey
from .distribution import DistributionStore
from .drift import words_of
from .driftstore import DriftStore
from .placepages import STATES
from .store import AreaStore
from .whereabouts import WhereaboutsStore

PER_PAGE = 50
"""People on a page."""


class HolderSearch(msgspec.Struct, frozen=True):
    """Place in the list."""

    after: Annotated[int, Meta(ge=0)] = 0


class HolderPages:
    """The people of a terminal."""

    def __init__(self, services: Services) -> None:
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the page."""
        return [
            ConsolePage(
                path="/terminals/<sn>/people",
                title=Phrase("People on this terminal"),
                run=self.show,
                query=HolderSearch,
                limited=(TERMINAL,),
            )
        ]

    async def show(self, visit: Visit, sn: str, query: HolderSearch) -> View:
        """Show the people on a terminal, and those who are to be there."""

        def find_thd(tx: Transaction) -> dict[str, Any]:
            device = tx[DeviceStore].find(sn)
            if device is None:
                raise LookupError(Phrase("There is no such terminal."))
            found = tx[WhereaboutsStore].at(
                device.id, sn, Page(PER_PAGE + 1, query.after, areas=visit.areas)
            )
            shown = found[:PER_PAGE]
            pins = {one.pin for one in shown}
            names = tx[PeopleStore].names(pins)
            area = device.area or DEFAULT_AREA
            is_more = len(found) > PER_PAGE
            drift = tx[DriftStore].of(device.id)
            terminal = tx[DistributionStore].terminals().get(device.id)
            return {
                "sn": sn,
                "name": device.alias or sn,
                "area": area,
                "distributes": area in tx[AreaStore].distributing(),
                "conflicts": tx[PersonSurvey].contradictions(pins),
                "reported": device.counts.get("users"),
                "drift": drift,
                "differs": words_of(drift.differences) if drift.differences else None,
                "no_packages": terminal.no_packages if terminal else None,
                "people": [(one, names.get(one.pin), *STATES[one.state]) for one in shown],
                "next_query": urlencode({"after": shown[-1].id}) if is_more else None,
                "first_query": "" if query.after else None,
            }

        return View(template="holders.html", values=await self._store.read(find_thd))
