"""Attendance: records (11.2, 11.7), photos taken with them (11.3, 11.8), and their commands."""

from __future__ import annotations

import msgspec

from ...protocol import photos
from ...protocol.fields import Acknowledge, Field, Kind, Layout, Table
from ...protocol.parameters import clear_command, data_command
from .lines import decode_attendance_line
from .plain import decode_body, read_clock
from .record import RECORD

ATTLOG = msgspec.structs.replace(
    RECORD, decode_body=decode_body, decode_line=decode_attendance_line, read_clock=read_clock
)

ATTPHOTO = Table(
    name="ATTPHOTO",
    section="11.3, 11.8",
    meaning="Photos taken when somebody was, or was not, verified",
    layout=Layout.PHOTO,
    holds_templates=False,
    transfer=("AttPhoto",),
    acknowledge=Acknowledge.BARE,
    fields=photos.FIELDS,
)

TABLES = (ATTLOG, ATTPHOTO)


def _time(wire: str, meaning: str) -> Field:
    return Field(wire=wire, name=wire, kind=Kind.TIME, required=True, meaning=meaning)


PERIOD = (
    _time("StartTime", "Start of the period (wall clock)"),
    _time("EndTime", "End of the period (wall clock)"),
)

COMMANDS = (
    data_command("QUERY", "ATTLOG", "12.1.3", "Upload the attendance records of a period", *PERIOD),
    data_command(
        "QUERY", "ATTPHOTO", "12.1.3", "Upload the attendance photos of a period", *PERIOD
    ),
    clear_command("LOG", "12.2.1", "Clear the attendance records"),
    clear_command("PHOTO", "12.2.2", "Clear the attendance photos"),
)
