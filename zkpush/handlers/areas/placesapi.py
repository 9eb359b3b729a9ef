"""API of places: who is where."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...device import acts
from ...manage.errors import not_found
from ...manage.limits import PERSON, TERMINAL, of_both, of_device, visible_thd
from ...manage.listing import Listing, whole
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant_or_none
from ...model import Caller, Page
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...protocol.fields import Scope
from ..people.store import DEFAULT_AREA
from .distribution import DistributionStore, emptied_by_counts
from .driftstore import DriftStore
from .model import PersonPlace
from .store import AreaStore
from .whereabouts import HELD_BACK, SOMEBODY_ELSE, WhereaboutsStore

REPAIR = "repair terminal"


class PlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """A person on a terminal."""

    device: str
    pin: str
    state: Annotated[
        Literal["there", "on_its_way", "refused", "does_not_fit", "unknown"],
        Meta(
            description="`refused` also while a conflict waits for a decision, a deletion for a "
            "confirmation, or somebody else's deletion: `meaning` says so"
        ),
    ]
    meaning: Annotated[str, Meta(description="The state in words, with the reason")]
    updated_at: Annotated[
        str | None, Meta(description="Null if the server has sent nothing to the terminal")
    ]


class PlaceEndpoints:
    """Handlers of the routes of places."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "GET",
                "/users/<pin>/places",
                Scope.READ,
                self.of_person,
                "The terminals where a person is, or is to be, and how far that is",
                returns=Listing[PlaceView],
                takes=("caller",),
                limited=(PERSON,),
            ),
            ApiList[PersonPlace](
                path="/devices/<sn>/users",
                summary="The people on a terminal, and those who are to be there",
                view=PlaceView,
                find_thd=_at_thd,
                show=lambda place, caller: place_view(place),
                owner=of_both,
            ).route(self._store),
            Route(
                "POST",
                "/devices/<sn>/repair",
                Scope.WRITE,
                self.repair,
                "Compare the people on a terminal anew, ask it for what it holds, and send again "
                "what was lost, refused or not answered; its area must distribute",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=(TERMINAL,),
            ),
        ]

    async def of_person(self, pin: str, caller: Caller) -> Listing[PlaceView]:
        """List the terminals of a person."""

        def find_thd(tx: Transaction) -> list[PersonPlace] | None:
            found = tx[WhereaboutsStore].of_person(pin)
            if found is None or caller.areas is None:
                return found
            return visible_thd(tx, found, of_device, caller.areas)

        found = await self._store.read(find_thd)
        if found is None:
            raise not_found(Phrase("There is no user %(pin)s.", pin=pin))
        return whole([place_view(place) for place in found])

    async def repair(self, sn: str, caller: Caller) -> None:
        """Compare a terminal anew."""
        now = self._services.now()

        def unit(tx: Transaction) -> None:
            device = tx[DeviceStore].find(sn)
            if device is None:
                raise not_found(Phrase("There is no terminal %(sn)s.", sn=sn))
            if (device.area or DEFAULT_AREA) not in tx[AreaStore].distributing():
                raise ValueError(
                    Phrase("sn: the area of terminal %(sn)s does not distribute.", sn=sn)
                )
            if device.counts.get("users") == 0:
                emptied_by_counts(tx, device)
            tx[DistributionStore].compare_again(device.id, now)
            tx[DriftStore].ask(device.id, now)
            tx[DistributionStore].change(device.id, no_packages=None)
            acts.record(tx, caller, REPAIR, f"terminal {sn}", "", now)

        await self._store.write(unit)


def _at_thd(tx: Transaction, part: Page, query: object, sn: str) -> list[PersonPlace]:
    device = tx[DeviceStore].find(sn)
    return [] if device is None else tx[WhereaboutsStore].at(device.id, sn, part)


_NAMES = {"conflict": "refused", HELD_BACK: "refused", SOMEBODY_ELSE: "refused"}
"""Names in the API of states that came after it."""


def place_view(place: PersonPlace) -> PlaceView:
    """Show a place."""
    return PlaceView(
        device=place.device,
        pin=place.pin,
        state=_NAMES.get(place.state, place.state),  # type: ignore[arg-type]  # see `STATES`
        meaning=place.meaning,
        updated_at=instant_or_none(place.updated_at),
    )
