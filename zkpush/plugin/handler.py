"""Record handlers: plugins that store the lines of some tables.

A handler implements `IRecordHandler`; with tables of its own in the database also `IBringsTables`,
and with pictures `INamesPictures`. `persist` takes a `Transaction`, the `Device` that sent the
lines and a `Batch` of decoded rows. It runs on a thread of the handler, after the reply `OK` to the
terminal; an exception keeps the lines in the inbox for another attempt.

The stable attributes of a `Transaction` are `connection` (an SQLAlchemy connection), `vault.seal`
and `vault.open`, and `tx[Kind]`, which is the store of a class that is made with a `Transaction`
alone: one of the plugin, `PictureStore` with `keep` and `get`, or `EventStore` with `add`. Those of
a `Device` are `sn`, `alias` and `timezone`; those of a `Batch` are `table`, `rows` and `stamp`.

`migrate_lineage_thd` runs the migrations of a plugin, in `prepare`; `part_of` limits a query to a
page of a list.
"""

from __future__ import annotations

from ..interfaces import IBringsTables, INamesPictures, IRecordHandler, OutOfReach, StoreError
from ..model import Device
from ..persist.events import EventStore
from ..persist.lineages import migrate_lineage_thd
from ..persist.paging import part_of
from ..persist.pictures import PictureStore
from ..persist.transaction import Transaction
from ..problems import ProblemKind
from ..protocol.records import Batch
from ..protocol.rejects import Reject

__all__ = [
    "Batch",
    "Device",
    "EventStore",
    "IBringsTables",
    "INamesPictures",
    "IRecordHandler",
    "OutOfReach",
    "PictureStore",
    "ProblemKind",
    "Reject",
    "StoreError",
    "Transaction",
    "migrate_lineage_thd",
    "part_of",
]
