"""Lists of records that are stored unchanged: one route each, derived from the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec

from ..model import Caller
from ..persist.logs import LogStore
from .listing import DeviceQuery
from .lists import ApiList, Shown
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
    """Name of the shown secrets in the audit log."""
    more: Callable[[Any], Mapping[str, object]] = _nothing
    """Returns the values of a view that are not fields of the table."""

    def route(self, services: Services) -> Route:
        """Make the route of the list."""

        async def note(shown: Shown[Any]) -> None:
            if any(shows_secrets(self.store.records, item) for item in shown.items):
                whose = devices_of(shown.query)
                await services.secret_access.note(shown.caller, self.secrets, whose)

        found: ApiList[Any] = ApiList(
            path=self.path,
            summary=self.summary,
            view=self.view,
            query=DeviceQuery,
            find_thd=lambda tx, part, query: tx[self.store].page(part, query.device),
            show=self._view,
            note=note,
        )
        return found.route(services.store)

    def _view(self, record: Any, caller: Caller) -> Any:
        return show_record(self.view, self.store.records, record, caller.scopes, self.more(record))


def devices_of(query: DeviceQuery) -> str:
    """Return the terminals of a list, for the audit log; a caller may pass any text as one."""
    return "all terminals" if query.device is None else f"terminal {query.device[:32]}"
