"""Attendance: records (11.2, 11.7) and the photos taken with them (11.3, 11.8)."""

from __future__ import annotations

import msgspec

from .. import photos
from ..attendance import decode_attendance_line
from ..attlog import RECORD
from ..fields import Acknowledge, Layout, Table
from ..plain import decode_body, read_clock

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
