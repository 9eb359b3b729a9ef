"""API of entries on terminals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from ...interfaces import IStore
from ...manage.arguments import no_such
from ...manage.limits import of_device
from ...manage.listing import DeviceQuery
from ...manage.lists import ApiList, Shown
from ...manage.readings import SecretAccessLog
from ...manage.recordlists import devices_of
from ...manage.recordviews import EXTRA, MEANING, Damaged
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant
from ...protocol import secrecy
from ...protocol.secrecy import Scopes, may_see, secrets_of
from .model import Entry
from .store import EntryStore
from .tables import TABLES

_CODED = {
    table.name: [field for field in table.fields if field.codes is not None] for table in TABLES
}
_TABLES = tuple(table.name for table in TABLES)
_SECRETS = {table.name: secrets_of(table) for table in TABLES}


class EntryView(msgspec.Struct, frozen=True):
    """An entry of a table on a terminal that does not concern people, such as a work code."""

    id: int
    device: str
    table: str
    fields: Annotated[
        dict[str, str | int | None],
        Meta(description="By name; a coded one has its meaning beside it, as `…_meaning`"),
    ]
    extra: EXTRA
    updated_at: str
    damaged: Damaged = UNSET


class EntryQuery(DeviceQuery, frozen=True):
    """Filter of entries."""

    table: Annotated[str | None, Meta(description="A table such as WORKCODE")] = None


class EntryEndpoints:
    """Handlers of the routes of entries."""

    def __init__(self, store: IStore, readings: SecretAccessLog) -> None:
        self._store = store
        self._readings = readings

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ApiList[Entry](
                path="/entries",
                summary="Entries on terminals: work codes, short messages, lists",
                view=EntryView,
                query=EntryQuery,
                find_thd=lambda tx, part, query: tx[EntryStore].page(
                    part, query.device, query.table
                ),
                show=lambda entry, caller: entry_view(entry, caller.scopes),
                note=self._note,
                known={"table": lambda tx, text: no_such("table of entries", text, _TABLES)},
                owner=of_device,
            ).route(self._store),
        ]

    async def _note(self, shown: Shown[Entry]) -> None:
        """Record that undeclared columns were shown to a caller."""
        if any(item.extra for item in shown.items):
            whose = devices_of(shown.query)
            await self._readings.note(shown.caller, "unknown columns of entries", whose)


def entry_view(entry: Entry, scopes: Scopes) -> EntryView:
    """Return the view of an entry."""
    extra = entry.extra if may_see(secrecy.UNDECLARED, scopes) else None
    return EntryView(
        entry.id,
        entry.device,
        entry.table,
        _with_words(
            entry.table, secrecy.shown(entry.fields, _SECRETS.get(entry.table, {}), scopes)
        ),
        extra or None,
        instant(entry.updated_at),
        entry.damaged or UNSET,
    )


def _with_words(table: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an entry with the meanings of the coded ones."""
    words = {
        f"{field.name}{MEANING}": field.words(fields[field.name], fields)
        for field in _CODED.get(table, ())
        if field.name in fields
    }
    return {**fields, **words}


def routes(services: Services) -> list[Route]:
    """Return the routes of entries."""
    return EntryEndpoints(services.store, services.secret_access).routes()
