"""Columns of attendance records (11.2, 11.7), for decoders.

`tables.ATTLOG` is the table with its decoders.
"""

from __future__ import annotations

from ...protocol.codes import (
    AttendanceState,
    IdentityStatus,
    IdentityVerification,
    Mask,
    RecordType,
    VerificationMode,
)
from ...protocol.coding import CodesBy
from ...protocol.fields import SMALL, Field, Form, Kind, Layout, Table

RECORD = Table(
    name="ATTLOG",
    section="11.2, 11.7",
    meaning="Attendance records: who was verified when, and how",
    layout=Layout.COLUMNS,
    least_bytes=128,
    transfer=("AttLog",),
    holds_templates=False,
    key=("time", "pin", "status", "verify"),
    fields=(
        Field(
            wire="Pin",
            name="pin",
            required=True,
            pattern=r"[^\x00-\x1f]{1,64}",
            form="a user ID: 1 to 64 characters, without control characters",
            meaning="User ID",
        ),
        Field(
            wire="Time",
            name="time",
            kind=Kind.TIME,
            required=True,
            meaning="The terminal's own wall clock when the user was verified",
        ),
        Field(
            wire="Status",
            name="status",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            default=255,
            meaning="Attendance state; 255 where none was chosen. Of a verification (record type "
            "1): 0 success, 1 failure, 2 blacklist",
            codes=AttendanceState,
            codes_by=CodesBy("record_type", ((int(RecordType.VERIFICATION), IdentityStatus),)),
        ),
        Field(
            wire="Verify",
            name="verify",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            default=0,
            meaning="Verification mode, Appendix 7. Of a verification (record type 1): 1 face, 2 "
            "face + fingerprint, 3 fingerprint + face",
            codes=VerificationMode,
            codes_by=CodesBy(
                "record_type", ((int(RecordType.VERIFICATION), IdentityVerification),)
            ),
        ),
        Field(wire="Workcode", name="work_code", meaning="Work code"),
        Field(wire="Reserved1", name="reserved_1", meaning="Reserved by the protocol"),
        Field(wire="Reserved2", name="reserved_2", meaning="Reserved by the protocol"),
        Field(wire="IDNum", name="id_number", meaning="Citizen ID number"),
        Field(
            wire="Type",
            name="record_type",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="0 attendance, 1 verification of an identity card",
            codes=RecordType,
        ),
        Field(
            wire="MaskFlag",
            name="mask",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="1 with a mask, 0 without, 255 unknown (2.4.2)",
            codes=Mask,
        ),
        Field(
            wire="Temperature",
            name="temperature",
            kind=Kind.NUMBER,
            meaning="Body temperature in the terminal's unit (2.4.2)",
        ),
        Field(
            wire="ConvTemperature",
            name="converted_temperature",
            kind=Kind.NUMBER,
            meaning="Body temperature in the other unit (2.4.2)",
        ),
        Field(
            wire="TimeOffset",
            name="time_offset",
            kind=Kind.INTEGER,
            minimum=-86_400,
            maximum=86_400,
            meaning="Seconds that Time is ahead of UTC (2.4.2)",
        ),
        Field(wire="ExtendData", name="extend_data", meaning="JSON in base64, e.g. GPS (2.4.2)"),
    ),
    forms=(
        Form(
            "identity card",
            (
                "pin",
                "time",
                "status",
                "verify",
                "work_code",
                "reserved_1",
                "reserved_2",
                "id_number",
                "record_type",
            ),
        ),
        Form(
            "mask",
            (
                "pin",
                "time",
                "status",
                "verify",
                "work_code",
                "reserved_1",
                "reserved_2",
                "mask",
                "temperature",
                "converted_temperature",
                "time_offset",
                "extend_data",
            ),
        ),
    ),
)
