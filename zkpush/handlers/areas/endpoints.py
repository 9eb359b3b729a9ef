"""What is done with areas, by the API and by pages."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...counting import counted_people
from ...device import acts
from ...manage.errors import ApiError, not_found
from ...manage.limits import AREA, Owner, WholeSite
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.services import Services
from ...model import Caller
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ...protocol.fields import Scope
from ..people.model import check_area
from ..people.store import PersonStore
from .confirming import confirm
from .distribution import DistributionStore
from .distributionview import DistributionView, distribution_thd
from .driftstore import DriftStore
from .model import LONGEST_DESCRIPTION, Area
from .store import AreaStore

CHANGE, REMOVE, REPAIR = "change area", "remove area", "repair area"
AT_ONCE = 100
"""People taken out of an area in one unit of work, so that no upload waits long."""


class AreaChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes of an area to set."""

    description: Annotated[
        Annotated[str, Meta(max_length=LONGEST_DESCRIPTION)] | UnsetType | None,
        Meta(description="What the area is, for people; null for none"),
    ] = UNSET
    distributes: Annotated[
        bool | UnsetType,
        Meta(description="Whether its people are put on all its terminals, and others deleted"),
    ] = UNSET


class AreaQuery(msgspec.Struct, frozen=True):
    """Confirmation of deletions."""

    confirm: Annotated[
        int | None,
        Meta(
            description="Number of people who are to be deleted from terminals: needed if an area "
            "begins to distribute and this deletes anybody, and for deletions that are held back"
        ),
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


class ChangedArea(AreaView, frozen=True, kw_only=True):
    """An area after a change."""

    consequences: Annotated[
        DistributionView | None,
        Meta(
            description="What `GET areas/{name}/distribution` said before, if the area began to "
            "distribute with this change; null otherwise, and for an area that was unknown"
        ),
    ] = None


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
                owner=lambda area: Owner(AREA, area.name),
            ).route(self._store),
            Route(
                "GET",
                "/areas/<name>",
                Scope.READ,
                self.show,
                "One area",
                returns=AreaView,
                limited=(AREA,),
            ),
            Route(
                "PUT",
                "/areas/<name>",
                Scope.WRITE,
                self.put,
                "Describe an area, or let it distribute its people",
                query=AreaQuery,
                body=AreaChange,
                returns=ChangedArea,
                takes=("caller",),
                limited=(AREA,),
            ),
            Route(
                "GET",
                "/areas/<name>/distribution",
                Scope.READ,
                self.distribution,
                "What it means that an area distributes its people, and how far that is",
                returns=DistributionView,
                takes=("caller",),
                limited=(AREA,),
            ),
            Route(
                "POST",
                "/areas/<name>/repair",
                Scope.WRITE,
                self.repair,
                "Compare the people on all terminals of an area anew, ask each for what it holds, "
                "and send again what was lost, refused or not answered; the area must distribute",
                returns=DistributionView,
                status=HTTPStatus.ACCEPTED,
                takes=("caller",),
                limited=(AREA,),
            ),
            Route(
                "DELETE",
                "/areas/<name>",
                Scope.WRITE,
                self.remove,
                "Delete an area without terminals; its people stay, without this area",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=WholeSite("Areas are deleted with a token without areas."),
            ),
        ]

    async def show(self, name: str) -> AreaView:
        """Show an area."""
        return area_view(await self._store.read(lambda tx: _find_thd(tx, name)))

    async def put(
        self, name: str, body: AreaChange, query: AreaQuery, caller: Caller
    ) -> ChangedArea:
        """Describe an area, or let it distribute."""
        check_area(name)
        now, window = self._services.now(), self._services.registry.online_window()
        values = {
            key: value or (None if key == "description" else False)
            for key, value in msgspec.structs.asdict(body).items()
            if value is not UNSET
        }

        def unit(tx: Transaction) -> ChangedArea:
            before = tx[AreaStore].find(name)
            is_on = before is not None and before.distributes
            meant = None
            if before is not None and values.get("distributes") and not is_on:
                meant = distribution_thd(tx, _find_thd(tx, name), now, window, caller.areas)
            tx[AreaStore].put(name, values)
            if values.get("distributes", is_on):
                confirm(tx, name, query.confirm, now, begins=not is_on)
            acts.record(tx, caller, CHANGE, f"area {name}", _detail(values, query.confirm), now)
            shown = msgspec.structs.asdict(area_view(_find_thd(tx, name)))
            return ChangedArea(**shown, consequences=meant)

        return await self._store.write(unit)

    async def distribution(self, name: str, caller: Caller) -> DistributionView:
        """Show what it means that an area distributes."""
        now, window = self._services.now(), self._services.registry.online_window()
        return await self._store.read(
            lambda tx: distribution_thd(tx, _find_thd(tx, name), now, window, caller.areas)
        )

    async def repair(self, name: str, caller: Caller) -> DistributionView:
        """Compare anew."""
        now, window = self._services.now(), self._services.registry.online_window()

        def unit(tx: Transaction) -> DistributionView:
            shown = distribution_thd(tx, _find_thd(tx, name), now, window, caller.areas)
            if name not in tx[AreaStore].distributing():
                raise ApiError(
                    HTTPStatus.CONFLICT,
                    Phrase(
                        "The area %(name)s does not distribute, so there is nothing to repair: the "
                        "server puts nobody on its terminals. Turn distribution on first.",
                        name=name,
                    ),
                )
            for terminal in tx[DistributionStore].terminals().values():
                if terminal.area == name:
                    tx[DistributionStore].compare_again(terminal.device_id, now)
                    tx[DriftStore].ask(terminal.device_id, now)
                    tx[DistributionStore].change(terminal.device_id, no_packages=None)
            acts.record(tx, caller, REPAIR, f"area {name}", "", now)
            return shown

        return await self._store.write(unit)

    async def remove(self, name: str, caller: Caller) -> None:
        """Delete an area."""
        now = self._services.now()

        def unit(tx: Transaction) -> bool:
            area = _find_thd(tx, name)
            if area.devices:
                raise ApiError(
                    HTTPStatus.CONFLICT,
                    counted_phrase(
                        "The area %(name)s has %(num)s terminal. Move it first, with `area` of "
                        "PATCH devices/{sn}.",
                        "The area %(name)s has %(num)s terminals. Move them first, with `area` of "
                        "PATCH devices/{sn}.",
                        area.devices,
                        name=name,
                    ),
                )
            people = tx[PersonStore]
            pins = people.pins_in(name, "", AT_ONCE)
            for pin, areas in people.areas(pins).items():
                left = [one for one in areas if one != name]
                people.put_areas(pin, left, caller.actor, now)
            if len(pins) == AT_ONCE:
                return True
            tx[AreaStore].forget(name)
            acts.record(tx, caller, REMOVE, f"area {name}", counted_people(area.users), now)
            return False

        while await self._store.write(unit):
            pass


KEPT, NOT_KEPT = "people kept on its terminals", "people not kept on its terminals"
"""Whether the people of an area are kept on its terminals, in the audit log."""


def _detail(values: Mapping[str, object], confirmed: int | None) -> str:
    words = ["description"] if "description" in values else []
    if "distributes" in values:
        words.append(KEPT if values["distributes"] else NOT_KEPT)
    if confirmed:
        words.append(f"{confirmed} deletions confirmed")
    return ", ".join(words)


def _find_thd(tx: Transaction, name: str) -> Area:
    area = tx[AreaStore].find(name)
    if area is None:
        raise not_found(Phrase("There is no area %(name)s.", name=name[:40]))
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
