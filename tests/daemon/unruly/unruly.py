"""A package whose record handler, admission policy and verifier misbehave as they are told.

`UNRULY Id=7` lines are kept in a table of their own. The file that ZKPUSH_TEST_UNRULY names holds
the way in which the handler misbehaves after it has written, if it is there; ways with `stored` do
so after the commit. A file beside it, whose name ends in `.called`, is made before that.
"""

from __future__ import annotations

import os
import pathlib
import time

import sqlalchemy
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.interfaces import IAdmissionPolicy, IBringsTables, IRecordHandler, IVerifier
from zkpush.model import DeviceState
from zkpush.protocol.fields import Field, Layout, Table
from zkpush.values.people import Verdict

UNRULY = Table(
    name="UNRULY",
    section="-",
    meaning="Lines for a handler that misbehaves",
    layout=Layout.KEYED,
    keyword="UNRULY",
    key=("id",),
    fields=(Field(wire="Id", name="id", required=True, meaning="Any number"),),
)
kept = sqlalchemy.Table(
    "unruly",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("id", sqlalchemy.Text, primary_key=True),
)
BLOCKS_SECONDS = 120


def orders() -> pathlib.Path:
    """The file that says how to misbehave."""
    return pathlib.Path(os.environ["ZKPUSH_TEST_UNRULY"])


def way() -> str:
    """How to misbehave; not at all if that is none of the ways below."""
    return orders().read_text().strip() if orders().exists() else ""


def misbehave(how: str, tx=None) -> None:
    """Do what nobody should."""
    match how:
        case "raises":
            raise ValueError("s3cret of unruly")
        case "exits":
            raise SystemExit(1)
        case "runs out of memory":
            raise MemoryError
        case "interrupts":
            raise KeyboardInterrupt
        case "loops":
            while True:
                pass
        case "blocks":
            time.sleep(BLOCKS_SECONDS)
        case "rolls back":
            tx.connection.rollback()
        case "commits":
            tx.connection.commit()
        case "rolls back the driver":
            tx.connection.connection.driver_connection.rollback()
        case "closes the connection":
            tx.connection.connection.driver_connection.close()


@implementer(IPlugin, IRecordHandler, IBringsTables)
class UnrulyHandler:
    """Keeps the numbers of its lines."""

    name = "unruly"
    tables = (UNRULY,)
    changes_device = False

    def prepare(self, tx):
        """Make the table."""
        if way().startswith("prepare "):
            misbehave(way().removeprefix("prepare "), tx)
        kept.create(tx.connection, checkfirst=True)

    def persist(self, tx, device, batch, now):
        """Write the numbers, then misbehave."""
        for number, *_ in batch.rows:
            known = sqlalchemy.select(kept.c.id).where(kept.c.id == number)
            if tx.connection.execute(known).first() is None:
                tx.connection.execute(kept.insert().values(id=number))
        orders().with_suffix(".called").touch()
        misbehave(way(), tx)

    def stored(self, device, batch):
        """Misbehave after the commit."""
        if way().startswith("stored "):
            misbehave(way().removeprefix("stored "))


@implementer(IPlugin, IAdmissionPolicy)
class OfficePolicy:
    """Takes terminals of one language from this machine at once, and lets others wait."""

    name = "office"

    def admit(self, sn, hello, address):
        """Decide by the exchange and the address."""
        misbehave(way().removeprefix("admit ") if way().startswith("admit ") else "")
        if hello is None:
            return None
        if hello.language == "83" and address == "127.0.0.1":
            return DeviceState.APPROVED
        return DeviceState.PENDING


@implementer(IPlugin, IVerifier)
class UnrulyVerifier:
    """Lets everybody in."""

    name = "unruly"

    def verify(self, device, request):
        """Decide."""
        misbehave(way().removeprefix("verify ") if way().startswith("verify ") else "")
        return Verdict(True)
