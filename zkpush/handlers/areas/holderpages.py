"""Page of the people of a terminal: who is on it, and who is to be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from ...manage.commandviews import ask
from ...manage.console.pages import (
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    LivePart,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import COMMAND, TERMINAL
from ...manage.services import Services
from ...model import DEFAULT_AREA, Device, DeviceState
from ...pathparts import path_part
from ...persist.commandrows import reason_phrase
from ...persist.commands import CommandStore
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...values.commands import OPEN_STATES, CommandState
from ..people.model import QueryPeople
from ..people.store import PeopleStore, PersonSurvey
from .distribution import DistributionStore
from .drift import words_of
from .driftstore import DriftStore
from .placepages import STATES
from .store import AreaStore
from .whereabouts import WhereaboutsStore

PER_PAGE = 50
"""People on a page."""
NO_TERMINAL = Phrase("There is no such terminal.")
NO_FETCH = Phrase("There is no such command any more.")
_GIVEN_UP = Phrase("The terminal has not sent its people.")
FETCH_STATES: Mapping[CommandState, tuple[Phrase, str]] = {
    CommandState.QUEUED: (Phrase("The terminal has not fetched the order yet."), "calm"),
    CommandState.SENT: (Phrase("The terminal sends its people now."), "calm"),
    CommandState.DONE: (Phrase("The terminal has sent its people."), "good"),
    CommandState.FAILED: (_GIVEN_UP, "bad"),
    CommandState.EXPIRED: (_GIVEN_UP, "bad"),
    CommandState.CANCELLED: (_GIVEN_UP, "calm"),
    CommandState.UNKNOWN: (_GIVEN_UP, "warn"),
}
"""Words and kinds of badges for the command that fetches people."""


class HolderSearch(msgspec.Struct, frozen=True):
    """Place in the list."""

    after: Annotated[str, Meta(max_length=64)] = ""
    """User ID of the last person on the page before."""
    fetch: Annotated[str, Meta(max_length=64)] = ""
    """Id of the command whose progress is shown."""


class FetchForm(msgspec.Struct, frozen=True):
    """The button that fetches people."""


class HolderPages:
    """The people of a terminal."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the page, its form and its live part."""
        return [
            ConsolePage(
                path="/terminals/<sn>/people",
                title=Phrase("People on this terminal"),
                run=self.show,
                query=HolderSearch,
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path="/terminals/<sn>/people/fetch",
                fields=FetchForm,
                run=self.fetch,
                limited=(TERMINAL,),
            ),
            LivePart(
                name="areas-fetch",
                run=self.fetch_part,
                kinds=("command", "user"),
                every=5.0,
                limited=(COMMAND,),
            ),
        ]

    async def show(self, visit: Visit, sn: str, query: HolderSearch) -> View:
        """Show the people on a terminal, and those who are to be there."""

        def find_thd(tx: Transaction) -> dict[str, Any]:
            device = tx[DeviceStore].find(sn)
            if device is None:
                raise LookupError(NO_TERMINAL)
            found = tx[WhereaboutsStore].in_order_at(
                device.id, sn, PER_PAGE + 1, query.after or None, visit.areas
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
                "is_approved": device.state is DeviceState.APPROVED,
                **_counts_thd(tx, device),
                **(_fetch_thd(tx, query.fetch, sn) if query.fetch else {}),
                "drift": drift,
                "differs": words_of(drift.differences) if drift.differences else None,
                "no_packages": terminal.no_packages if terminal else None,
                "people": [(one, names.get(one.pin), *STATES[one.state]) for one in shown],
                "next_query": urlencode({"after": shown[-1].pin}) if is_more else None,
                "first_query": "" if query.after else None,
            }

        values = await self._store.read(find_thd)
        live = f"areas-fetch:{query.fetch}" if query.fetch else None
        return View(
            template="holders.html",
            values={**values, "live": live},
            live=[live] if live else [],
        )

    async def fetch(self, visit: Visit, form: FetchForm, sn: str) -> Redirect:
        """Let a terminal upload its users."""
        try:
            asked = await ask(self._services, sn, QueryPeople(), visit.caller)
        except LookupError:
            raise LookupError(NO_TERMINAL) from None
        return Redirect(to=f"/terminals/{path_part(sn)}/people?fetch={asked.items[0].id}")

    async def fetch_part(self, visit: Visit, argument: str | None) -> View:
        """Show how far the upload of users is."""
        values = await self._store.read(lambda tx: _fetch_thd(tx, argument or ""))
        return View(template="_fetch.html", values=values)


def _counts_thd(tx: Transaction, device: Device) -> dict[str, Any]:
    """Return how many people a terminal counts, and how many of them are known here."""
    known = tx[PersonSurvey].people_on([device.id]).get(device.id, 0)
    return {"reported": device.counts.get("users"), "known": known}


def _fetch_thd(tx: Transaction, command_id: str, sn: str | None = None) -> dict[str, Any]:
    """Return the progress of a command that fetches the people of a terminal."""
    command = tx[CommandStore].get(command_id)
    device = None if command is None else tx[DeviceStore].find(command.device)
    if command is None or device is None or sn not in (None, device.sn):
        raise LookupError(NO_FETCH)
    words, kind = FETCH_STATES[command.state]
    is_open = command.state in OPEN_STATES
    return {
        **(counts := _counts_thd(tx, device)),
        "sn": device.sn,
        "missing": 0 if is_open else max(0, (counts["reported"] or 0) - counts["known"]),
        "may_repeat": device.state is DeviceState.APPROVED,
        "command_id": command_id,
        "words": words,
        "kind": kind,
        "reason": None if is_open else reason_phrase(command),
        "is_open": is_open,
    }
