"""Logs: operations (11.4), errors (11.16) and identity cards (11.6), kept as they came."""

from __future__ import annotations

import attrs
from zope.interface import implementer

from ...interfaces import IRecordHandler
from ...model import Device
from ...persist.transaction import Transaction
from ...protocol.records import Batch
from ...protocol.times import wall_clock
from .store import STORES
from .tables import TABLES

_STORES = {store.records.name: store for store in STORES}


@implementer(IRecordHandler)
@attrs.frozen
class LogHandler:
    """Stores what was done on terminals, what went wrong, and which cards were read.

    That a user was deleted on a terminal (operation 9) is recorded, and no more: the person stays.
    """

    name = "logs"
    tables = TABLES
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        tx[_STORES[batch.table.name]].add(device.id, batch, wall_clock(device.timezone), now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Nothing follows a stored log."""


HANDLERS = (LogHandler(),)
