"""Lists of records that are stored unchanged: one route each, derived from the table.

A list is filtered by terminal, and by the fields in `Table.filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import attrs
import msgspec
from msgspec import Meta

from ..model import Caller
from ..persist.logs import LogStore
from ..protocol.fields import SMALL, Field, Table
from .limits import of_device
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

        filters = self.store.records.filters
        found: ApiList[Any] = ApiList(
            path=self.path,
            summary=self.summary,
            view=self.view,
            query=filter_query(self.store.records),
            find_thd=lambda tx, part, query: tx[self.store].page(
                part, query.device, {name: getattr(query, name) for name in filters}
            ),
            show=self._view,
            owner=of_device,
            note=note,
        )
        return found.route(services.store)

    def _view(self, record: Any, caller: Caller) -> Any:
        return show_record(self.view, self.store.records, record, caller.scopes, self.more(record))


def filter_query(table: Table) -> type[DeviceQuery]:
    """Make the type of the queries of a list: a parameter for each of `Table.filters`.

    `ValueError` if one of them is secret or is not stored.
    """
    fields = [table.field(name) for name in table.filters]
    for field in fields:
        if field.secret or not field.stored:
            raise ValueError(f"{table.name}: {field.name} cannot be a filter")
    if not fields:
        return DeviceQuery
    query: Any = msgspec.defstruct(
        f"{table.name.title()}Query",
        [(field.name, _filter_type(field), None) for field in fields],
        bases=(DeviceQuery,),
        namespace={"__doc__": f"Filter of {table.name} records."},
        frozen=True,
    )
    return query  # type: ignore[no-any-return]  # made from DeviceQuery


def _filter_type(field: Field) -> Any:
    meaning = Meta(description=f"Only records with this value: {field.meaning}")
    if field.kind.python is not int:
        return Annotated[field.kind.python | None, meaning]
    low = 0 if field.minimum is None else field.minimum
    high = SMALL if field.maximum is None else field.maximum
    return Annotated[Annotated[int, Meta(ge=low, le=high)] | None, meaning]


def devices_of(query: DeviceQuery) -> str:
    """Return the terminals of a list, for the audit log; a caller may pass any text as one."""
    return "all terminals" if query.device is None else f"terminal {query.device[:32]}"
