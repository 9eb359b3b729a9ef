"""The audit log in the store: rows are only ever added."""

from __future__ import annotations

from sqlalchemy import Connection, select
from zope.interface import implementer

from ..interfaces import IAudit
from ..model import AuditRecord, Page
from .databases import insert
from .schema import audit


@implementer(IAudit)
class Audit:
    """The audit log, on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, actor: str, action: str, subject: str, detail: str | None, now: int) -> None:
        """Record who did what."""
        self._connection.execute(
            insert(self._connection, audit).values(
                actor=actor, action=action, subject=subject, detail=detail, at=now
            )
        )

    def page(
        self,
        part: Page,
        since: int | None = None,
        until: int | None = None,
        actor: str | None = None,
        action: str | None = None,
    ) -> list[AuditRecord]:
        """List records by id: from `since` on and before `until`, in milliseconds."""
        query = select(audit).where(audit.c.id > part.after).order_by(audit.c.id).limit(part.limit)
        if since is not None:
            query = query.where(audit.c.at >= since)
        if until is not None:
            query = query.where(audit.c.at < until)
        if actor is not None:
            query = query.where(audit.c.actor == actor)
        if action is not None:
            query = query.where(audit.c.action == action)
        return [
            AuditRecord(**{str(name): value for name, value in row._mapping.items()})
            for row in self._connection.execute(query)
        ]
