"""API of access data."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...manage.errors import not_found
from ...manage.limits import AREA, TERMINAL, Owner
from ...manage.listing import Listing, whole
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant
from ...model import Caller, Page
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...protocol.fields import Scope
from .administration import AccessChange, check_area_thd, find_thd, remove_thd
from .declared import ACCESS_TABLES, MOST_PICTURE, AccessTable, table_named
from .fields import AccessField
from .model import AccessEntry, EntryPlace
from .showing import shown_fields
from .store import AccessStore
from .whereabouts import AccessPlaces

MOST_BODY = MOST_PICTURE * 4 // 3 + 4096
"""Most bytes of a request that defines an entry: a picture in base64."""


class AccessFieldView(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a table of access data."""

    name: str
    meaning: str
    holds: Annotated[str, Meta(description="What it holds, in words")]
    required: bool
    minimum: Annotated[int | None, Meta(description="Least value of a number")]
    maximum: Annotated[int | None, Meta(description="Largest value of a number")]
    most: Annotated[int | None, Meta(description="Most characters of a text, or items of a list")]
    choices: list[str]
    default: str | int | bool | None


class AccessTableView(msgspec.Struct, frozen=True, kw_only=True):
    """A table of access data."""

    name: str
    meaning: str
    key: Annotated[str, Meta(description="What the key of an entry is")]
    fields: list[AccessFieldView]


class TerminalCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Number of terminals by the state of an entry; all 0 if the area does not distribute."""

    there: int = 0
    on_its_way: int = 0
    refused: int = 0
    does_not_fit: int = 0
    unknown: int = 0


class AccessEntryView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the access data of an area."""

    key: str
    fields: Annotated[
        dict[str, str | int | bool | list[str | int] | None],
        Meta(
            description="By name; a coded one has its meaning beside it, as `…_meaning`, and a "
            "picture has its size in bytes instead of its content"
        ),
    ]
    damaged: Annotated[bool, Meta(description="Whether the fields cannot be decrypted")]
    updated_at: str
    terminals: TerminalCounts


class EntryPlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of access data on a terminal."""

    device: str
    table: str
    key: str
    state: Literal["there", "on_its_way", "refused", "does_not_fit", "unknown"]
    meaning: Annotated[str, Meta(description="The state in words, with the reason")]
    updated_at: str


FieldsBody = Annotated[
    dict[str, str | int | bool | list[str | int] | None],
    Meta(
        description="The fields of the entry, all at once: what is left out becomes its default. "
        "`GET access-tables` lists them."
    ),
]


class AccessEndpoints:
    """Handlers of the routes of access data."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "GET",
                "/access-tables",
                Scope.READ,
                self.tables,
                "The tables of access data, with their fields",
                returns=Listing[AccessTableView],
                limited=(),
            ),
            ApiList[tuple[AccessEntry, Mapping[str, int]]](
                path="/areas/<name>/<table>",
                summary="The access data of a table in an area, and on how many terminals it is",
                view=AccessEntryView,
                find_thd=_page_thd,
                show=lambda one, caller: entry_view(*one),
                key=lambda one: one[0].id,
                owner=lambda one: Owner(AREA, one[0].area),
            ).route(self._store),
            Route(
                "PUT",
                "/areas/<name>/<table>/<key>",
                Scope.WRITE,
                self.put,
                "Define an entry of access data in an area, or replace it",
                body=FieldsBody,
                body_bytes=MOST_BODY,
                returns=AccessEntryView,
                takes=("caller",),
                limited=(AREA,),
            ),
            Route(
                "DELETE",
                "/areas/<name>/<table>/<key>",
                Scope.WRITE,
                self.remove,
                "Delete an entry of access data, also on the terminals of an area that distributes",
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=(AREA,),
            ),
            Route(
                "GET",
                "/areas/<name>/<table>/<key>/terminals",
                Scope.READ,
                self.terminals,
                "The terminals where an entry of access data is, or is to be",
                returns=Listing[EntryPlaceView],
                limited=(AREA,),
            ),
            Route(
                "GET",
                "/devices/<sn>/access-data",
                Scope.READ,
                self.at,
                "The access data that is on a terminal, or is to be there",
                returns=Listing[EntryPlaceView],
                limited=(TERMINAL,),
            ),
        ]

    async def tables(self) -> Listing[AccessTableView]:
        """List the tables."""
        return whole([table_view(table) for table in ACCESS_TABLES])

    async def put(
        self, name: str, table: str, key: str, body: Mapping[str, Any], caller: Caller
    ) -> AccessEntryView:
        """Define an entry."""
        now = self._services.now()
        change = AccessChange(name, _table(table), key, body)

        def unit(tx: Transaction) -> AccessEntryView:
            entry = change(tx, caller, now)
            counts = tx[AccessPlaces].of_table(name, table)
            return entry_view(entry, counts.get(key, {}))

        return await self._store.write(unit)

    async def remove(self, name: str, table: str, key: str, caller: Caller) -> None:
        """Delete an entry."""
        now, found = self._services.now(), _table(table)
        await self._store.write(lambda tx: remove_thd(tx, name, found, key, caller, now))

    async def terminals(self, name: str, table: str, key: str) -> Listing[EntryPlaceView]:
        """List the terminals of an entry, also of one that is deleted and still there."""
        found = _table(table)

        def read_thd(tx: Transaction) -> list[EntryPlace]:
            check_area_thd(tx, name)
            places = tx[AccessPlaces].of_entry(name, table, key)
            if not places:
                find_thd(tx, name, found, key)
            return places

        places = await self._store.read(read_thd)
        return whole([place_view(place) for place in places])

    async def at(self, sn: str) -> Listing[EntryPlaceView]:
        """List the access data on a terminal."""
        places = await self._store.read(lambda tx: tx[AccessPlaces].at(sn))
        if places is None:
            raise not_found(Phrase("There is no terminal %(sn)s.", sn=sn[:40]))
        return whole([place_view(place) for place in places])


def _table(name: str) -> AccessTable:
    try:
        return table_named(name)
    except LookupError as error:
        raise not_found(str(error)) from None


def _page_thd(
    tx: Transaction, part: Page, query: object, name: str, table: str
) -> list[tuple[AccessEntry, Mapping[str, int]]]:
    _table(table)
    check_area_thd(tx, name)
    counts = tx[AccessPlaces].of_table(name, table)
    part = msgspec.structs.replace(part, areas=None)  # the area in the path was checked
    return [(one, counts.get(one.key, {})) for one in tx[AccessStore].page(name, table, part)]


def table_view(table: AccessTable) -> AccessTableView:
    """Show a table."""
    return AccessTableView(
        name=table.name,
        meaning=table.meaning,
        key=table.key,
        fields=[_field_view(field) for field in table.fields],
    )


def _field_view(field: AccessField) -> AccessFieldView:
    return AccessFieldView(
        name=field.name,
        meaning=field.meaning,
        holds=field.kind.value,
        required=field.required,
        minimum=field.minimum,
        maximum=field.maximum,
        most=field.most,
        choices=[*field.choices],
        default=None if isinstance(field.default, list) else field.default,
    )


def entry_view(entry: AccessEntry, counts: Mapping[str, int]) -> AccessEntryView:
    """Show an entry, with the number of its terminals by state."""
    return AccessEntryView(
        key=entry.key,
        fields=shown_fields(entry),
        damaged=entry.damaged,
        updated_at=instant(entry.updated_at),
        terminals=TerminalCounts(**counts),
    )


def place_view(place: EntryPlace) -> EntryPlaceView:
    """Show an entry on a terminal."""
    return EntryPlaceView(
        device=place.device,
        table=place.table,
        key=place.key,
        state=place.state,  # type: ignore[arg-type]  # one of `whereabouts.state_name`
        meaning=place.meaning,
        updated_at=instant(place.updated_at),
    )


def routes(services: Services) -> list[Route]:
    """Return the routes of access data."""
    return AccessEndpoints(services).routes()
