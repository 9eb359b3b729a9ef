"""The API of the audit log: who did what."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ..interfaces import IStore
from ..model import AuditRecord
from ..protocol.fields import Scope
from .listing import Listing, ListQuery, listing
from .routes import Route
from .times import instant


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody did; it is never changed or dropped."""

    id: int
    recorded_at: str
    actor: Annotated[str, Meta(description="Who: `device` and a serial number, for example")]
    action: Annotated[str, Meta(description="What, such as `remote attendance`")]
    subject: Annotated[str, Meta(description="With what, or whom: `user` and a user ID")]
    detail: str | None


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
                "The audit log, in the order of what was done",
                query=ListQuery,
                returns=Listing[AuditView],
            )
        ]

    async def audit(self, query: ListQuery) -> Listing[AuditView]:
        """List records of the audit log."""
        found = await self._store.read(lambda tx: tx.audit.page(query.page))
        return listing([_view(one) for one in found], [one.id for one in found], query)


def _view(one: AuditRecord) -> AuditView:
    return AuditView(
        id=one.id,
        recorded_at=instant(one.at),
        actor=one.actor,
        action=one.action,
        subject=one.subject,
        detail=one.detail,
    )
