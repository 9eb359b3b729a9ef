"""The first and the last punch of a terminal, for its page."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import attrs

from ...model import Device
from ...persist.transaction import Transaction
from ..attendance.model import Punch
from ..attendance.store import AttendanceStore


@attrs.frozen
class EndPunch:
    """The time of the first or the last punch."""

    wall: datetime.datetime
    """Wall clock time in the zone of the visit, or that of the terminal if its zone is unknown."""
    own_time: datetime.datetime | None
    """Wall clock time of the terminal, if it differs."""
    is_doubtful: bool


def end_punches_thd(tx: Transaction, device: Device, zone: ZoneInfo) -> Sequence[EndPunch]:
    """Return the first and the last punch of a terminal by its clock; nothing without any."""
    return [_shown(punch, zone) for punch in tx[AttendanceStore].first_and_last(device.id)]


def _shown(punch: Punch, zone: ZoneInfo) -> EndPunch:
    wall = punch.wall(zone)
    own = None if str(wall) == punch.time else datetime.datetime.fromisoformat(punch.time)
    return EndPunch(wall, own, punch.doubt is not None)
