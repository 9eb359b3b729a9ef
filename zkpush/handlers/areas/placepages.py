"""Page of the terminals of a person: where the person is, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...manage.console.forms import NOTHING_ENTERED, FormEntry
from ...manage.console.pages import ConsolePage, ConsoleRoute, LivePart, View
from ...manage.console.phrases import Phrase, counted_phrase
from ...manage.console.visits import Visit
from ...manage.limits import PERSON, of_device, visible_thd
from ...manage.services import Services
from ...pathparts import path_part
from ...persist.areas import idle_areas_thd
from ...persist.transaction import Transaction
from ..people.store import PeopleStore, PersonStore, PersonSurvey
from .sendingpages import NOBODY, SendingPages, sending_thd
from .whereabouts import WhereaboutsStore

PER_PAGE = 50
"""Terminals on a page."""
EVERY = 5.0
"""Seconds after which the places of a person are looked at again."""

STATES: Mapping[str, tuple[Phrase, str]] = {
    "there": (Phrase("is there"), "good"),
    "on_its_way": (Phrase("on its way"), "calm"),
    "held_back": (Phrase("waits for a confirmation"), "warn"),
    "conflict": (Phrase("waits for a decision"), "warn"),
    "somebody_else": (Phrase("has somebody else"), "bad"),
    "refused": (Phrase("refused by the terminal"), "bad"),
    "does_not_fit": (Phrase("does not fit"), "warn"),
    "unknown": (Phrase("no answer"), "warn"),
}
"""States of people on terminals: words, and kinds of badges."""


def parts_in_words(state: str, num: int) -> Phrase:
    """Say how a number of parts is, without the number, which stands above."""
    match state:
        case "there":
            return counted_phrase("part is there", "parts are there", num)
        case "on_its_way":
            return counted_phrase("part on its way", "parts on their way", num)
        case "held_back":
            return counted_phrase(
                "part waits for a confirmation", "parts wait for a confirmation", num
            )
        case "conflict":
            return counted_phrase("part waits for a decision", "parts wait for a decision", num)
        case "refused":
            return counted_phrase(
                "part refused by the terminal", "parts refused by the terminal", num
            )
        case "does_not_fit":
            return counted_phrase("part does not fit", "parts do not fit", num)
    return counted_phrase("part without an answer", "parts without an answer", num)


class PlaceSearch(msgspec.Struct, frozen=True):
    """Place in the list."""

    past: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Number of terminals on the pages before."""


_FIRST = PlaceSearch()


class PlacePages:
    """Where a person is, and the form that sends the person to further terminals."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._sending = SendingPages(services, self.show)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page, its live part and its form."""
        title = Phrase("Where this person is")
        return [
            ConsolePage(
                path="/people/<pin>/places",
                title=title,
                run=self.show,
                query=PlaceSearch,
                limited=(PERSON,),
            ),
            LivePart(
                name="areas-places",
                run=self.part,
                kinds=("command", "user"),
                every=EVERY,
                limited=(PERSON,),
            ),
            *self._sending.routes(),
        ]

    async def show(
        self,
        visit: Visit,
        pin: str,
        query: PlaceSearch = _FIRST,
        entry: FormEntry = NOTHING_ENTERED,
    ) -> View:
        """Show the terminals that have the person, or are to have the person."""

        def find_thd(tx: Transaction) -> dict[str, Any]:
            areas = tx[PersonStore].areas([pin]).get(pin, ())
            return {
                **_places_thd(tx, visit, pin, query.past),
                **sending_thd(tx, visit, pin),
                "idle_areas": idle_areas_thd(tx, areas, visit.areas),
                "name": tx[PeopleStore].names([pin]).get(pin),
            }

        # What a page of a changing list has is not replaced while it is read.
        live = None if query.past else f"areas-places:{pin}"
        values = await self._store.read(find_thd)
        return View(
            template="places.html",
            values={**values, "pin": pin, "entry": entry, "live": live},
            live=[live] if live else [],
        )

    async def part(self, visit: Visit, argument: str | None) -> View:
        """Show how far the person is at each terminal."""
        values = await self._store.read(lambda tx: _places_thd(tx, visit, argument or ""))
        return View(template="_places.html", values=values)


def _places_thd(tx: Transaction, visit: Visit, pin: str, past: int = 0) -> dict[str, Any]:
    found = tx[WhereaboutsStore].of_person(pin)
    if found is None:
        raise LookupError(NOBODY)
    if visit.areas is not None:
        found = visible_thd(tx, found, of_device, visit.areas)
    # Those that somebody may have to look at come first.
    ordered = sorted(found, key=lambda one: one.state == "there" and not one.is_misnamed)
    end = past + PER_PAGE
    return {
        "conflicts": tx[PersonSurvey].contradictions([pin]),
        "places": [(one, *STATES[one.state]) for one in ordered[past:end]],
        "places_of": f"/people/{path_part(pin)}/places",
        "next_query": f"past={end}" if end < len(ordered) else None,
        "first_query": "" if past else None,
    }
