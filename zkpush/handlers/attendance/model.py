"""Attendance: punches, and the photos taken with them."""

from __future__ import annotations

from ...protocol.tables import ATTLOG
from ...stored import DatedRecord, TerminalRecord, stored_type


class Punch(DatedRecord, frozen=True, kw_only=True):
    """An attendance record."""

    pin: str


STORED_PUNCH = stored_type(Punch, ATTLOG)


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
