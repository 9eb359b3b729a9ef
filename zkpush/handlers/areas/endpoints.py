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
from ...persist.online import OnlineWindow
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase
from ...protocol.fields import Scope
from ..people.model import check_area
from ..people.store import PersonStore
from .affected import AffectedPerson, affected_people_thd
from .confirming import area_terminals, confirm, effect_of
from .distribution import DistributionStore
from .driftstore import DriftStore
from .model import LONGEST_DESCRIPTION, Area, PartState
from .pace import connected_thd, on_its_way, seconds_left_thd
from .places import PlaceStore
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


class PartCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of people (fields, templates and photos) on terminals, by state."""

    there: int = 0
    on_its_way: int = 0
    conflict: Annotated[
        int, Meta(description="Not sent while a conflict with the terminal waits for a decision")
    ] = 0
    refused: int = 0
    does_not_fit: int = 0
    unknown: int = 0


class DistributionView(msgspec.Struct, frozen=True, kw_only=True):
    """What it means that an area distributes, and how far that is."""

    people: int
    devices: Annotated[int, Meta(description="Approved terminals of the area")]
    commands: Annotated[int, Meta(description="Largest number of commands that may be needed")]
    deletions: Annotated[
        int,
        Meta(
            description="People to delete from terminals: all, as long as the area does not "
            "distribute, else those whose deletion waits"
        ),
    ]
    unconfirmed: Annotated[
        int,
        Meta(
            description="People of the area whom only terminals have stated, and who would come to "
            "all its terminals; 0 for an area that distributes"
        ),
    ]
    privileged: Annotated[
        int, Meta(description="Those of them to whom a terminal has given rights, which stay there")
    ]
    with_passwords: Annotated[
        int,
        Meta(
            description="Those of them for whom a terminal has stated a password, which comes to "
            "all its terminals too"
        ),
    ]
    unfetched: Annotated[
        int,
        Meta(
            description="People whom the terminals count beyond those that they have stated; 0 for "
            "an area that distributes"
        ),
    ]
    named: Annotated[
        list[AffectedPerson],
        Meta(description="Some of the people who would spread or be deleted, at most ten of each"),
    ]
    parts: PartCounts
    seconds_left: Annotated[
        int | None,
        Meta(
            description="Estimated time until nothing is on its way to connected terminals, at the "
            "pace of the last ten minutes; null if terminals have executed too few commands in "
            "that time"
        ),
    ]
    for_unconnected: Annotated[
        int, Meta(description="Parts on their way to terminals that are not connected")
    ]


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
                meant = _distribution_thd(tx, name, now, window, caller.areas)
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
            lambda tx: _distribution_thd(tx, name, now, window, caller.areas)
        )

    async def repair(self, name: str, caller: Caller) -> DistributionView:
        """Compare anew."""
        now, window = self._services.now(), self._services.registry.online_window()

        def unit(tx: Transaction) -> DistributionView:
            shown = _distribution_thd(tx, name, now, window, caller.areas)
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


def _distribution_thd(
    tx: Transaction, name: str, now: int, window: OnlineWindow, areas: frozenset[str] | None
) -> DistributionView:
    """Terminals that are online in the window are connected."""
    area = _find_thd(tx, name)
    effect = effect_of(tx, area)
    keys = area_terminals(tx, name)
    counts = tx[PlaceStore].counts(keys)
    left = on_its_way(counts)
    connected = connected_thd(tx, keys, window)
    reached = on_its_way(tx[PlaceStore].counts(connected))
    return DistributionView(
        unconfirmed=effect.unconfirmed,
        privileged=effect.privileged,
        with_passwords=effect.with_passwords,
        unfetched=effect.unfetched,
        named=[] if area.distributes else affected_people_thd(tx, area, areas),
        people=effect.people,
        devices=effect.devices,
        commands=effect.commands,
        deletions=effect.deletions,
        parts=PartCounts(
            there=counts.get(PartState.THERE, 0),
            on_its_way=left,
            conflict=counts.get(PartState.CONFLICT, 0),
            refused=counts.get(PartState.REFUSED, 0),
            does_not_fit=counts.get(PartState.DOES_NOT_FIT, 0),
            unknown=counts.get(PartState.UNKNOWN, 0),
        ),
        seconds_left=seconds_left_thd(tx, connected, reached, now),
        for_unconnected=left - reached,
    )


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
