"""Attendance: punches, and the photos taken with them."""

from __future__ import annotations

import msgspec

from ...protocol.codes import RecordType
from ...stored import DatedRecord, TerminalRecord, stored_type
from .tables import ATTLOG


class Punch(DatedRecord, frozen=True, kw_only=True):
    """An attendance record."""

    pin: str
    record_type: int | None = None


STORED_PUNCH = stored_type(Punch, ATTLOG)


class PunchFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which attendance records are wanted; None is no restriction."""

    device: str | None = None
    """Serial number of the terminal."""
    pin: str | None = None
    since: int | None = None
    """From this instant on, in seconds.

    Records whose instant is unknown are found as if their terminal's clock showed UTC.
    """
    until: int | None = None
    """Before this instant, in seconds."""
    received_since: int | None = None
    """Received from this instant on, in milliseconds."""
    doubt: str | None = None
    record_type: RecordType | None = None


EVERY_PUNCH = PunchFilter()


class AttendancePhoto(TerminalRecord, frozen=True, kw_only=True):
    """A photo taken when somebody was, or was not, verified (11.3, 11.8)."""

    name: str
    picture: str | None
    """The key of the picture; None if it is damaged."""
    size: int
    """Bytes of the picture."""
    kind: int | None = None
    pin: str | None = None
    id_number: str | None = None
    time: str | None = None
    utc: int | None = None
    doubt: str | None = None
    command: str | None = None
