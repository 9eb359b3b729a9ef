"""Attendance records (11.2, 11.7)."""

from __future__ import annotations

import attrs
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import IRecordHandler, ITransaction
from ..model import Device
from ..protocol.records import Batch
from ..protocol.tables import ATTLOG
from ..protocol.times import wall_clock


@implementer(IPlugin, IRecordHandler)
@attrs.frozen
class AttendanceHandler:
    """Stores attendance records, with the instant that each stands for."""

    name = "attendance"
    tables = (ATTLOG,)
    changes_device = False

    def persist(self, tx: ITransaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        tx.attendance.add(device.id, batch.rows, wall_clock(device.timezone).utc, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Nothing follows a stored attendance record yet."""
