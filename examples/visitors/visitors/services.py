"""The services of visitors: a job that deletes old ones, a figure, and a problem."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from zkpush.plugin.services import (
    Contribution,
    Figure,
    PeriodicService,
    Role,
    ServerProblem,
    Services,
)

from .handler import NOT_DELETED
from .settings import VisitorSettings
from .store import VisitorStore

EVERY = 3600.0
"""Seconds between two runs."""


class VisitorRetention(PeriodicService):
    """Counts visitors, and deletes those that are older than the configuration says."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.clock)
        self._services = services
        self._keep_days = services.section(VisitorSettings).keep_days
        self._failing_since = 0
        self.kept = 0
        """The number of visitors at the last run."""
        self.every(EVERY, self.run, "Old visitors are not deleted", now=True)

    async def run(self) -> None:
        """Delete the old ones and count the others."""
        now = self._services.now()
        try:
            if self._keep_days is not None:
                at = datetime.datetime.fromtimestamp(now / 1000, datetime.UTC)
                before = f"{at - datetime.timedelta(self._keep_days):%Y-%m-%d %H:%M:%S}"
                await self._services.store.write(lambda tx: tx[VisitorStore].forget(before))
            self.kept = await self._services.store.read(lambda tx: tx[VisitorStore].count())
        except Exception:
            self._failing_since = self._failing_since or now
            raise
        self._failing_since = 0

    def problems(self) -> Iterable[ServerProblem]:
        """That visitors are not deleted."""
        if self._failing_since and self._keep_days is not None:
            yield ServerProblem(
                code=NOT_DELETED,
                subject="plugin visitors",
                detail=f"Visitors are to be deleted after {self._keep_days} days.",
                since_at=self._failing_since,
            )


def contribute(services: Services) -> Contribution:
    """Run the job in one process of each node."""
    retention = VisitorRetention(services)
    return Contribution(
        services=[(Role.NODE, retention)],
        problems=[retention.problems],
        figures=[
            Figure(
                name="zkpush_visitors_kept",
                meaning="Visitors in the database at the last count",
                read=lambda: retention.kept,
            )
        ],
    )
