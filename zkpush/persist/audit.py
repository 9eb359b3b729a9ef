"""The audit log in the store: rows are only ever added, in the order of the commits.

So that whoever exports it, and goes on from the last record they have, misses none.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select
from zope.interface import implementer

from ..interfaces import IAudit
from ..model import AuditRecord, Page
from .databases import Database
from .schema import audit, plain
from .waiting import WaitingRows


@implementer(IAudit)
class Audit(WaitingRows):
    """The audit log, on one connection.

    What a group of units records waits for its end, and is written together: who takes ids keeps
    others from it until the commit.
    """

    table = audit
    names = ("actor", "action", "subject", "detail", "at")

    def __init__(self, database: Database, connection: Connection, driver: Any) -> None:
        self._connection = connection
        super().__init__(database, driver)

    def add(self, actor: str, action: str, subject: str, detail: str | None, now: int) -> None:
        """Record who did what."""
        told = None if detail is None else plain(detail)
        self._waiting.append((plain(actor), plain(action), plain(subject), told, now))

    def page(
        self,
        part: Page,
        since: int | None = None,
        until: int | None = None,
        actor: str | None = None,
        action: str | None = None,
    ) -> list[AuditRecord]:
        """List records by id: from `since` on and before `until`, in milliseconds."""
        self.flush()
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
