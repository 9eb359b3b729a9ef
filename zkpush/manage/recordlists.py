"""Lists of records that are kept as they came: a route for each, from its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec

from ..model import Caller
from ..persist.logs import LogStore
from ..protocol.fields import Scope
from .listing import DeviceQuery, Listing, listing, negotiated
from .recordviews import show_record, shows_secrets
from .routes import Route
from .services import Services


def _nothing(record: Any) -> Mapping[str, object]:
    return {}


@attrs.frozen
class RecordList:
    """The list of one record type."""

    path: str
    summary: str
    store: type[LogStore[Any]]
    view: type[msgspec.Struct]
    """See `recordviews.record_view`."""
    secrets: str
    """What the audit log calls the secrets that a caller was shown."""
    more: Callable[[Any], Mapping[str, object]] = _nothing
    """The values of a view beside the fields of the table."""

    def route(self, services: Services) -> Route:
        """The route of the list."""

        async def run(query: DeviceQuery, accept: str, caller: Caller) -> object:
            found = await services.store.read(
                lambda tx: tx[self.store].page(query.page, query.device)
            )
            items = [self._view(record, caller) for record in found]
            if any(shows_secrets(self.store.records, item) for item in items):
                await services.secret_access.note(caller, self.secrets, devices_of(query))
            part = listing(items, [record.id for record in found], query)
            return negotiated(accept, self.view, part)

        return Route(
            "GET",
            self.path,
            Scope.READ,
            run,
            self.summary,
            query=DeviceQuery,
            returns=Listing[self.view],  # type: ignore[name-defined]
            takes=("accept", "caller"),
        )

    def _view(self, record: Any, caller: Caller) -> Any:
        return show_record(self.view, self.store.records, record, caller.scopes, self.more(record))


def devices_of(query: DeviceQuery) -> str:
    """The terminals of a list, for the audit log; a caller may name any text as one."""
    return "all terminals" if query.device is None else f"terminal {query.device[:32]}"
