"""The record handler: stores visitors, and adds an event for each new one."""

from __future__ import annotations

from pathlib import Path

from zope.interface import implementer

from zkpush.plugin.handler import (
    Batch,
    Device,
    EventStore,
    IBringsTables,
    IRecordHandler,
    ProblemKind,
    Transaction,
    migrate_lineage_thd,
)

from .store import VisitorStore
from .tables import TABLES, VISITOR

ARRIVED = "visitors.arrived"
EVENTS = {ARRIVED: "A visitor has arrived"}
NOT_DELETED = ProblemKind(
    "visitors not deleted",
    "Visitors are kept for longer than the configuration says",
    "Read the log for the error, and report it to the author of the plugin.",
)
PROBLEMS = (NOT_DELETED,)
_MIGRATIONS = Path(__file__).parent / "migrations"


@implementer(IRecordHandler, IBringsTables)
class VisitorHandler:
    """Keeps visitors in a table of its own."""

    name = "visitors"
    tables = TABLES
    changes_device = False

    def prepare(self, tx: Transaction) -> None:
        """Make the table, or bring it up to date."""
        migrate_lineage_thd(tx, self.name, _MIGRATIONS)

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write visitors; one that is there already stays as it is.

        On a thread of this handler, in a transaction of its own: the lines are on disk before.
        """
        for row in batch.rows:
            values = dict(zip(VISITOR.names, row, strict=False))
            if tx[VisitorStore].add(device.sn, values):
                event = {"device": device.sn, "pin": values["pin"], "host": values["host"]}
                tx[EventStore].add(ARRIVED, event, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Nothing follows: who wants to know of a visitor reads the events."""


HANDLERS = (VisitorHandler(),)
