"""Attendance: records (11.2, 11.7) and the photos taken with them (11.3, 11.8)."""

from __future__ import annotations

from ..fields import SMALL, Acknowledge, Field, Form, Kind, Layout, Table

ATTLOG = Table(
    name="ATTLOG",
    section="11.2, 11.7",
    meaning="Attendance records: who was verified when, and how",
    layout=Layout.COLUMNS,
    transfer=("AttLog",),
    key=("time", "pin", "status", "verify"),
    fields=(
        Field(
            wire="Pin", name="pin", required=True, pattern=r"[^\x00-\x1f]{1,64}", meaning="User ID"
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
        ),
        Field(
            wire="Verify",
            name="verify",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            default=0,
            meaning="Verification mode, Appendix 7",
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
        ),
        Field(
            wire="MaskFlag",
            name="mask",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="1 with a mask, 0 without, 255 unknown (2.4.2)",
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

ATTPHOTO = Table(
    name="ATTPHOTO",
    section="11.3, 11.8",
    meaning="Photos taken when somebody was, or was not, verified",
    layout=Layout.PHOTO,
    transfer=("AttPhoto",),
    acknowledge=Acknowledge.BARE,
    fields=(
        Field(
            wire="PIN",
            name="name",
            required=True,
            pattern=r"[^\x00-\x1f]{1,255}",
            meaning="File name: time, photo type, user ID and citizen ID number, as far as known",
        ),
        Field(wire="SN", name="sn", stored=False, meaning="Serial number of the terminal"),
        Field(
            wire="size",
            name="size",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="Bytes of the original picture",
        ),
        Field(wire="CMD", name="command", meaning="What the terminal calls the upload"),
    ),
)
