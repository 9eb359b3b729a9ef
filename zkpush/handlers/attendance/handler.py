"""Attendance records (11.2, 11.7), and the photos taken with them (11.3, 11.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import attrs
from zope.interface import implementer

from ...device.functions import CommandFunctions, Params
from ...interfaces import IRecordHandler
from ...model import Device
from ...persist.transaction import Transaction
from ...protocol.facts import plain_names
from ...protocol.fields import Row, Table
from ...protocol.photos import Photo, parse_name
from ...protocol.records import Batch, value_of
from ...protocol.times import wall_clock
from .photos import AttendancePhotoStore
from .plain import AttendanceRows
from .store import AttendanceStore
from .tables import ATTLOG, ATTPHOTO

_MEASURED = {
    "MaskDetectionFunOn": (ATTLOG.names.index("mask"),),
    "IRTempDetectionFunOn": (
        ATTLOG.names.index("temperature"),
        ATTLOG.names.index("converted_temperature"),
    ),
}
"""Options that declare a sensor, with the columns of its measurements."""


@implementer(IRecordHandler)
@attrs.frozen
class AttendanceHandler:
    """Stores attendance records with their instants, and photos."""

    name = "attendance"
    tables = (ATTLOG, ATTPHOTO)
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        clock = wall_clock(device.timezone)
        if batch.table is ATTLOG:
            tx[AttendanceStore].add(device.id, _measured(batch.rows, device), clock, now)
            return
        photos = [cast(Photo, photo) for (photo,) in batch.rows]
        tx[AttendancePhotoStore].add_all(device.id, photos, clock, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Do nothing: no action follows a stored attendance record."""


def _measured(rows: Sequence[Row], device: Device) -> Sequence[Row]:
    """Remove the zero measurements of terminals without mask or temperature sensors.

    Such terminals fill the columns all the same; terminals with sensors declare them (8).
    """
    if isinstance(rows, AttendanceRows):  # plain rows have no such columns
        return rows
    options = plain_names(device.options)
    zeros = [
        place
        for option, places in _MEASURED.items()
        if options.get(option.lower(), "0").strip() in ("", "0")
        for place in places
    ]
    return [
        tuple(None if place in zeros and not value else value for place, value in enumerate(row))
        for row in rows
    ]


def _in_period(table: Table, row: Row, params: Params) -> bool:
    if table is ATTPHOTO:
        photo = row[0]
        time = parse_name(photo.name).time if isinstance(photo, Photo) else None
    else:
        time = str(value_of(table, row, "time"))
    return time is not None and params["StartTime"] <= time <= params["EndTime"]


FUNCTIONS = CommandFunctions(
    matchers={
        "DATA QUERY ATTLOG": {ATTLOG.name: _in_period},
        "DATA QUERY ATTPHOTO": {ATTPHOTO.name: _in_period},
    },
)

HANDLERS = (AttendanceHandler(),)
