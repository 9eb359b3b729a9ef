"""The API of the audit log: who did what."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ..interfaces import IStore
from ..persist.audit import AuditStore
from ..protocol.fields import Scope
from ..values.audit import AuditRecord
from .listing import Listing, ListQuery, listing, negotiated
from .routes import Route
from .times import instant, parse_instant


class AuditQuery(ListQuery, frozen=True):
    """Which records of the audit log are wanted."""

    since: Annotated[str | None, Meta(description="ISO 8601; from this instant on")] = None
    until: Annotated[str | None, Meta(description="ISO 8601; before this instant")] = None
    actor: Annotated[str | None, Meta(description="Who, as in the records")] = None
    action: Annotated[str | None, Meta(description="What, as in the records")] = None
    pin: Annotated[str | None, Meta(description="User ID of a person that the records name")] = None


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody did; it is never changed."""

    id: int
    recorded_at: str
    actor: Annotated[
        str,
        Meta(description="Who: `token`, `device` or `address` and which; or `others`"),
    ]
    action: Annotated[str, Meta(description="What, such as `queue command`, or `refused`")]
    subject: Annotated[str, Meta(description="With what, or whom; of what was refused, why")]
    detail: Annotated[str | None, Meta(description="More, and where it came from; no secrets")]
    pins: Annotated[
        list[str],
        Meta(
            description="User IDs of the people that subject and detail name as `person:…`, as "
            "long as the server knows them"
        ),
    ]


class AuditEndpoints:
    """What the route of the audit log does."""

    def __init__(self, store: IStore) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                "GET",
                "/audit",
                Scope.ADMIN,
                self.audit,
                "The audit log, in the order it was written; also as text/csv and "
                "application/x-ndjson",
                query=AuditQuery,
                returns=Listing[AuditView],
                takes=("accept",),
            )
        ]

    async def audit(self, query: AuditQuery, accept: str) -> object:
        """List records of the audit log."""
        since, until = _milliseconds(query.since), _milliseconds(query.until)
        found = await self._store.read(
            lambda tx: tx[AuditStore].page(
                query.page, since, until, query.actor, query.action, query.pin
            )
        )
        items: list[msgspec.Struct] = [_view(one) for one in found]
        return negotiated(accept, AuditView, listing(items, [one.id for one in found], query))


def _milliseconds(text: str | None) -> int | None:
    return None if text is None else parse_instant(text) * 1000


def _view(one: AuditRecord) -> AuditView:
    return AuditView(
        id=one.id,
        recorded_at=instant(one.at),
        actor=one.actor,
        action=one.action,
        subject=one.subject,
        detail=one.detail,
        pins=one.pins,
    )
