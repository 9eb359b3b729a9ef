"""Handler of entries: work codes, short messages, lists (12.1.1.9 to 12.1.1.18)."""

from __future__ import annotations

import attrs
import msgspec
from zope.interface import implementer

from ...interfaces import IRecordHandler
from ...model import Device
from ...persist.transaction import Transaction
from ...protocol.records import Batch
from ...protocol.secrecy import EXTRA
from .store import EntryStore
from .tables import TABLES


@implementer(IRecordHandler)
@attrs.frozen
class EntryHandler:
    """Stores the entries that terminals report."""

    name = "entries"
    tables = TABLES
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        names = batch.table.names
        key = [names.index(name) for name in batch.table.key]
        said = []
        for *values, extra, _raw in batch.rows:
            fields = {
                name: value for name, value in zip(names, values, strict=True) if value is not None
            }
            if extra is not None:
                fields[EXTRA] = msgspec.json.decode(str(extra))
            said.append(([values[place] for place in key], fields))
        tx[EntryStore].keep(device.id, batch.table.name, said, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Do nothing: no action follows a stored entry."""


HANDLERS = (EntryHandler(),)
