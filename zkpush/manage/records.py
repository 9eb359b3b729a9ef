"""The API of records: what terminals uploaded, as it is stored."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from ..interfaces import IStore
from ..model import Caller
from ..persist.entries import EntryStore
from ..protocol.fields import Scope
from . import recordviews as views
from .listing import DeviceQuery, Listing, listing
from .readings import SecretAccessLog
from .recordlists import devices_of
from .routes import Route


class EntryQuery(DeviceQuery, frozen=True):
    """Which entries are wanted."""

    table: Annotated[str | None, Meta(description="A table such as WORKCODE")] = None


class RecordEndpoints:
    """What the routes of records do."""

    def __init__(self, store: IStore, readings: SecretAccessLog) -> None:
        self._store = store
        self._readings = readings

    def routes(self) -> list[Route]:
        """The routes."""

        def listed(path: str, summary: str, run: Any, view: Any, **more: Any) -> Route:
            settings = {"query": DeviceQuery, "returns": Listing[view], **more}
            return Route("GET", path, Scope.READ, run, summary, **settings)

        return [
            listed(
                "/entries",
                "What terminals hold beside people: work codes, short messages, lists",
                self.entries,
                views.EntryView,
                query=EntryQuery,
                takes=("caller",),
            ),
        ]

    async def entries(self, query: EntryQuery, caller: Caller) -> Listing[views.EntryView]:
        """List entries."""
        found = await self._store.read(
            lambda tx: tx[EntryStore].page(query.page, query.device, query.table)
        )
        items = [views.entry_view(entry, caller.scopes) for entry in found]
        if any(item.extra for item in items):
            await self._readings.note(caller, "unknown columns of entries", devices_of(query))
        return listing(items, [entry.id for entry in found], query)
