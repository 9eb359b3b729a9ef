"""Lines and bodies that are set aside, and read again."""

from __future__ import annotations

from zkpush.handlers.rejects.jobs import RejectRetry
from zkpush.model import Page
from zkpush.persist.devices import DeviceStore
from zkpush.persist.rejects import RejectStore
from zkpush.protocol.fields import Field, Layout, Table
from zkpush.protocol.rejects import Reject

from ..rig import NOON, Rig

ATTLOG = "cdata?SN=T1&table=ATTLOG&Stamp=9999"
OPERLOG = "cdata?SN=T1&table=OPERLOG&Stamp=1"
ALL_EVENTS = Page(1000)
VISITOR = Table(
    name="VISITOR",
    section="-",
    meaning="Lines for a handler of a package",
    layout=Layout.KEYED,
    keyword="VISITOR",
    key=("id",),
    fields=(Field(wire="Id", name="id", required=True, meaning="Any number"),),
)


async def keep(rig: Rig, *rejects: Reject) -> None:
    """Rejects as an earlier version of the program has kept them."""
    await rig.exchange()

    def unit(tx) -> None:
        tx[RejectStore].add(tx[DeviceStore].find("T1").id, rejects, NOON * 1000)

    await rig.store.write(unit)


async def look(rig: Rig) -> None:
    """What the background job does at the start of the daemon, and once a minute."""
    (job,) = (job for job in rig.daemon.jobs if isinstance(job, RejectRetry))
    await job.look()
