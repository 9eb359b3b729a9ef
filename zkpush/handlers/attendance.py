"""Attendance records (11.2, 11.7), and the photos taken with them (11.3, 11.8)."""

from __future__ import annotations

from typing import cast

import attrs
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..interfaces import IRecordHandler
from ..model import Device
from ..persist.transaction import Transaction
from ..protocol.photos import Photo
from ..protocol.records import Batch
from ..protocol.tables import ATTLOG, ATTPHOTO
from ..protocol.times import wall_clock


@implementer(IPlugin, IRecordHandler)
@attrs.frozen
class AttendanceHandler:
    """Stores attendance records, with the instant that each stands for, and photos."""

    name = "attendance"
    tables = (ATTLOG, ATTPHOTO)
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        clock = wall_clock(device.timezone)
        if batch.table is ATTLOG:
            tx.attendance.add(device.id, batch.rows, clock, now)
            return
        photos = [cast(Photo, photo) for (photo,) in batch.rows]
        tx.photos.add_all(device.id, photos, clock, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Nothing follows a stored attendance record yet."""
