"""Every record type, option and command of the protocol, as data.

This is the one place that spells out a field. The decoders and encoders, the validation of
commands, the columns of the store, the values of the API, the simulator and the generators of the
tests are all derived from it. Wire names stand here exactly as their section spells them.

| Section | Module |
|---|---|
| 11.2, 11.3, 11.7, 11.8 attendance | `attendance` |
| 11.4 operations, 11.16 errors | `logs` |
| 11.5, 11.6, 11.9 to 11.15 people | `people` |
| 12.1.1.9 to 12.1.1.12, 12.1.1.18 messages, work codes, lists | `entries` |
| 12.1.1.13 to 12.1.1.17 keys and access control | `access` |
| 12.1 commands on data | `data` |
| 12.2 to 12.8 commands on the terminal | `control` |
"""

from __future__ import annotations

from .attendance import ATTLOG, ATTPHOTO
from .commands import COMMANDS
from .entries import ADPIC, BLACKLIST, SMS, USER_SMS, WALLPAPER, WHITELIST, WORKCODE
from .logs import ERRORLOG, OPLOG
from .people import BIODATA, BIOPHOTO, FACE, FP, FVEIN, IDCARD, USER, USERPIC

TEMPLATE_TABLES = (FP, FACE, FVEIN, BIODATA)
"""What holds templates."""
ENTRY_TABLES = (WORKCODE, SMS, USER_SMS, BLACKLIST, WHITELIST, ADPIC, WALLPAPER)
"""What terminals hold beside people."""
RECORD_TABLES = (
    ATTLOG,
    ATTPHOTO,
    OPLOG,
    ERRORLOG,
    USER,
    *TEMPLATE_TABLES,
    USERPIC,
    BIOPHOTO,
    IDCARD,
    *ENTRY_TABLES,
)
"""What is uploaded as records."""

__all__ = [
    "ADPIC",
    "ATTLOG",
    "ATTPHOTO",
    "BIODATA",
    "BIOPHOTO",
    "BLACKLIST",
    "COMMANDS",
    "ENTRY_TABLES",
    "ERRORLOG",
    "FACE",
    "FP",
    "FVEIN",
    "IDCARD",
    "OPLOG",
    "RECORD_TABLES",
    "SMS",
    "TEMPLATE_TABLES",
    "USER",
    "USERPIC",
    "USER_SMS",
    "WALLPAPER",
    "WHITELIST",
    "WORKCODE",
]
