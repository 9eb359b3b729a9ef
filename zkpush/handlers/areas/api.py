"""API of areas."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

from ...device import acts
from ...manage.errors import ApiError, not_found
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.services import Services
from ...model import Caller
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ..people.model import check_area
from ..people.store import PersonStore
from .model import LONGEST_DESCRIPTION, Area
from .store import AreaStore

CHANGE, REMOVE = "change area", "remove area"
AT_ONCE = 100
"""People taken out of an area in one unit of work, so that no upload waits long."""


class AreaChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes of an area to set."""

    description: Annotated[
        Annotated[str, Meta(max_length=LONGEST_DESCRIPTION)] | None,
        Meta(description="What the area is, for people; null for none"),
    ] = None


class AreaView(msgspec.Struct, frozen=True, kw_only=True):
    """An area."""

    name: str
    description: str | None
    distributes: Annotated[
        bool, Meta(description="Whether its people are put on all its terminals")
    ]
    devices: Annotated[int, Meta(description="Number of its terminals")]
    users: Annotated[int, Meta(description="Number of its people")]


class AreaEndpoints:
    """Handlers of the routes of areas."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ApiList[Area](
                path="/areas",
                summary="All areas by name, whether they are described or only have members",
                view=AreaView,
                find_thd=lambda tx, part, query: tx[AreaStore].page(part),
                show=lambda area, caller: area_view(area),
                key=lambda area: area.place,
            ).route(self._store),
            Route(
                "GET",
                "/areas/<name>",
                Scope.READ,
                self.show,
                "One area",
                returns=AreaView,
            ),
            Route(
                "PUT",
                "/areas/<name>",
                Scope.WRITE,
                self.put,
                "Describe an area",
                body=AreaChange,
                returns=AreaView,
                takes=("caller",),
            ),
            Route(
                "DELETE",
                "/areas/<name>",
                Scope.WRITE,
                self.remove,
                "Delete an area without terminals; its people stay, without this area",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
            ),
        ]

    async def show(self, name: str) -> AreaView:
        """Show an area."""
        return area_view(await self._store.read(lambda tx: _find_thd(tx, name)))

    async def put(self, name: str, body: AreaChange, caller: Caller) -> AreaView:
        """Describe an area."""
        check_area(name)
        now = self._services.now()

        def unit(tx: Transaction) -> Area:
            tx[AreaStore].describe(name, body.description or None)
            acts.record(tx, caller, CHANGE, f"area {name}", "description", now)
            return _find_thd(tx, name)

        return area_view(await self._store.write(unit))

    async def remove(self, name: str, caller: Caller) -> None:
        """Delete an area."""
        now = self._services.now()

        def unit(tx: Transaction) -> bool:
            area = _find_thd(tx, name)
            if area.devices:
                raise ApiError(
                    HTTPStatus.CONFLICT,
                    f"The area {name} has {area.devices} terminal(s). Move them first, with "
                    "`area` of PATCH devices/{sn}.",
                )
            people = tx[PersonStore]
            pins = people.pins_in(name, "", AT_ONCE)
            for pin, areas in people.areas(pins).items():
                left = [one for one in areas if one != name]
                people.put_areas(pin, left, caller.actor, now)
            if len(pins) == AT_ONCE:
                return True
            tx[AreaStore].forget(name)
            acts.record(tx, caller, REMOVE, f"area {name}", f"{area.users} people", now)
            return False

        while await self._store.write(unit):
            pass


def _find_thd(tx: Transaction, name: str) -> Area:
    area = tx[AreaStore].find(name)
    if area is None:
        raise not_found(f"There is no area {name[:40]}.")
    return area


def area_view(area: Area) -> AreaView:
    """Show an area."""
    return AreaView(
        name=area.name,
        description=area.description,
        distributes=area.distributes,
        devices=area.devices,
        users=area.users,
    )


def routes(services: Services) -> list[Route]:
    """Return the routes of areas."""
    return AreaEndpoints(services).routes()
