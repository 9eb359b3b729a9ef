"""The API of visitors: `GET visitors`."""

from __future__ import annotations

from typing import Any

import msgspec

from zkpush.plugin.api import ApiList, Caller, DeviceQuery, Route, Services

from .store import VisitorStore


class VisitorView(msgspec.Struct, frozen=True):
    """A visitor, as a terminal has said it."""

    id: int
    device: str
    pin: str
    host: str | None
    company: str | None
    arrived: str


def _show(row: Any, caller: Caller) -> VisitorView:
    return VisitorView(row.id, row.device, row.pin, row.host, row.company, row.arrived)


VISITORS: ApiList[Any] = ApiList(
    path="/visitors",
    summary="Visitors",
    view=VisitorView,
    find_thd=lambda tx, part, query: tx[VisitorStore].page(part, query.device),
    show=_show,
    query=DeviceQuery,
)


def routes(services: Services) -> list[Route]:
    """The routes of visitors."""
    return [VISITORS.route(services.store)]
