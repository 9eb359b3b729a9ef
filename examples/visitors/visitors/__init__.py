"""Visitors: a record type that a reception terminal sends, and zkpush does not know.

A line is `VISITOR PIN=7<HT>Host=12<HT>Company=…<HT>Arrived=2026-03-01 08:00:00`; it may stand among
the others of an OPERLOG body, or in an upload of its own, `table=VISITOR`.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy
from twisted.logger import Logger
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.plugin.handler import Batch, Device, IBringsTables, IRecordHandler, Transaction
from zkpush.plugin.tables import Field, Kind, Layout, Table

VISITOR = Table(
    name="VISITOR",
    section="-",
    meaning="Visitors who were let in",
    layout=Layout.KEYED,
    keyword="VISITOR",
    key=("pin", "arrived"),
    fields=(
        Field(wire="PIN", name="pin", required=True, pattern="[0-9]{1,9}", meaning="Number"),
        Field(wire="Host", name="host", meaning="User ID of the person who is visited"),
        Field(wire="Company", name="company", meaning="Where the visitor is from"),
        Field(
            wire="Arrived",
            name="arrived",
            kind=Kind.TIME,
            required=True,
            meaning="The terminal's wall clock at the arrival",
        ),
    ),
    examples=(
        "VISITOR PIN=7\tHost=12\tCompany=Example Ltd.\tArrived=2026-03-01 08:00:00",
        "VISITOR PIN=8\tHost=12\tArrived=2026-03-01 08:05:00",
    ),
)

visitors = sqlalchemy.Table(
    "visitors",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("device", sqlalchemy.Text, primary_key=True),
    sqlalchemy.Column("pin", sqlalchemy.Text, primary_key=True),
    sqlalchemy.Column("arrived", sqlalchemy.Text, primary_key=True),
    sqlalchemy.Column("host", sqlalchemy.Text),
    sqlalchemy.Column("company", sqlalchemy.Text),
)


class VisitorStore:
    """The queries of the table; `tx[VisitorStore]` is the store of a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def add(self, sn: str, values: Mapping[str, object]) -> None:
        """Write a visitor; one that is there already stays as it is."""
        known = sqlalchemy.select(visitors.c.pin).where(
            visitors.c.device == sn,
            visitors.c.pin == values["pin"],
            visitors.c.arrived == values["arrived"],
        )
        if self._connection.execute(known).first() is None:
            self._connection.execute(visitors.insert().values(device=sn, **values))


@implementer(IPlugin, IRecordHandler, IBringsTables)
class VisitorHandler:
    """Keeps visitors in a table of its own."""

    _log = Logger()

    name = "visitors"
    tables = (VISITOR,)
    changes_device = False

    def prepare(self, tx: Transaction) -> None:
        """Make the table, at the first start."""
        visitors.create(tx.connection, checkfirst=True)

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write visitors; one that is there already stays as it is.

        On a thread of this handler, in a transaction of its own: the lines are on disk before.
        """
        for row in batch.rows:
            tx[VisitorStore].add(device.sn, dict(zip(VISITOR.names, row, strict=False)))

    def stored(self, device: Device, batch: Batch) -> None:
        """Notify the hosts, say, on the same thread; the visitors are committed."""
        for row in batch.rows:
            self._log.info("Visitor {pin} has arrived at {sn}", pin=row[0], sn=device.sn)
