"""Record handler of record types that are kept as received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from zope.interface import implementer

from ..interfaces import IRecordHandler
from ..model import Device
from ..persist.events import EventStore
from ..persist.logs import LogStore
from ..persist.transaction import Transaction
from ..protocol.fields import Table
from ..protocol.records import Batch
from ..protocol.secrecy import secrets_of
from ..protocol.times import wall_clock

Stores = Sequence[type[LogStore[Any]]]


def _tables(handler: LogRecordHandler) -> tuple[Table, ...]:
    return tuple(store.records for store in handler.stores)


@implementer(IRecordHandler)
@attrs.frozen
class LogRecordHandler:
    """Stores the record types of some `LogStore` classes, unchanged."""

    name: str
    stores: Stores
    events: Mapping[str, str] = attrs.field(factory=dict)
    """Event kinds by the names of tables. Each new record of such a table is an event: its data
    are the serial number, as `device`, and the fields that are not secret."""
    tables: Sequence[Table] = attrs.field(init=False, default=attrs.Factory(_tables, True))
    changes_device: bool = attrs.field(init=False, default=False)

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload, and events of the new ones."""
        table, clock = batch.table, wall_clock(device.timezone)
        store = tx[self.stores[self.tables.index(table)]]
        kind = self.events.get(table.name)
        if kind is None:
            store.add(device.id, batch, clock, now)
            return
        shown = [name for name in table.names if name not in secrets_of(table)]
        for row in store.add_new(device.id, batch, clock, now):
            values = dict(zip(table.names, row, strict=False))
            told = {name: values[name] for name in shown}
            tx[EventStore].add(kind, {"device": device.sn, **told}, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Do nothing: no action follows a stored record."""
