"""API of the trace: `GET devices/{sn}/trace`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...interfaces import IStore
from ...manage.errors import not_found
from ...manage.limits import TERMINAL
from ...manage.listing import Limit, Listing, whole
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant
from ...persist.devices import DeviceStore
from ...protocol.fields import Scope
from .model import LastRequests, TracedRequest


class TraceQuery(msgspec.Struct, frozen=True):
    """Length of the trace to return."""

    limit: Limit = 100


class TraceView(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a terminal, or several equal consecutive ones."""

    id: Annotated[str, Meta(description="Stays the same while `count` grows")]
    at: Annotated[str, Meta(description="Time of the last of them")]
    since_at: Annotated[str, Meta(description="Time of the first of them")]
    count: Annotated[int, Meta(description="Number of equal consecutive requests")]
    method: str
    path: Annotated[str, Meta(description="First two segments of the path")]
    table: Annotated[str | None, Meta(description="The argument of that name, as sent")]
    arguments: Annotated[
        dict[str, str], Meta(description="Arguments of the protocol that hold no secrets")
    ]
    address: str | None
    status: Annotated[int, Meta(description="HTTP status of the reply")]
    served: Annotated[
        bool,
        Meta(
            description="Whether it was served; false if it was refused, also with status 200 and "
            "UNKNOWN DEVICE: then nothing of it is stored"
        ),
    ]
    request_bytes: Annotated[
        int | None,
        Meta(
            description="Bytes of the body, of the first of several requests; null if it was not "
            "declared"
        ),
    ]
    reply_bytes: Annotated[int, Meta(description="Bytes of the body of the reply")]
    understood: Annotated[
        str | None,
        Meta(description="Meaning of the request; null if it was refused before it was parsed"),
    ]
    answered: Annotated[str, Meta(description="Summary of the reply, or its first line")]


class TraceEndpoints:
    """Route of the trace."""

    def __init__(self, store: IStore, requests: LastRequests) -> None:
        self._store = store
        self._requests = requests

    def routes(self) -> list[Route]:
        """Return the route."""
        return [
            Route(
                "GET",
                "/devices/<sn>/trace",
                Scope.READ,
                self.trace,
                "The last requests of a terminal, the newest last; a bounded number",
                query=TraceQuery,
                returns=Listing[TraceView],
                limited=(TERMINAL,),
            )
        ]

    async def trace(self, sn: str, query: TraceQuery) -> Listing[TraceView]:
        """List the last requests of a terminal."""
        device = await self._store.read(lambda tx: tx[DeviceStore].find(sn))
        if device is None:
            raise not_found(
                f"There is no terminal {sn}. `zkpush doctor {sn}` shows whether requests with this "
                "serial number were refused."
            )
        found = await self._requests.of(device)
        return whole([_view(one) for one in found[-query.limit :]])


def _view(one: TracedRequest) -> TraceView:
    content = one.content
    return TraceView(
        id=f"{one.writer}-{one.number}",
        at=instant(one.at),
        since_at=instant(one.since_at),
        count=one.count,
        method=content.method,
        path=content.path,
        table=content.table,
        arguments=dict(content.arguments),
        address=content.address,
        status=content.status,
        served=one.is_served,
        request_bytes=content.received,
        reply_bytes=content.sent,
        understood=content.understood,
        answered=content.answered,
    )


def routes(services: Services) -> list[Route]:
    """Return the route of the trace."""
    return TraceEndpoints(services.store, services.offers[LastRequests]).routes()
