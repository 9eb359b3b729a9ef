"""Handler of operations (11.4), errors (11.16) and identity cards (11.6), kept as received."""

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
    """Stores operations on terminals, errors and identity card records.

    The deletion of a user on a terminal (operation 9) is only recorded; the person is kept.
    """

    name = "logs"
    tables = TABLES
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        tx[_STORES[batch.table.name]].add(device.id, batch, wall_clock(device.timezone), now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Do nothing: no action follows a stored log."""


HANDLERS = (LogHandler(),)
