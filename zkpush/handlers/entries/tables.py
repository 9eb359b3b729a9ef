"""Entries on terminals: work codes, short messages, lists of identity cards, access control.

The server sends them (12.1.1.9 to 12.1.1.18). Terminals upload entries created on them, and entries
that the server queries. Keys and access control (12.1.1.13 to 12.1.1.17) are never uploaded.
"""

from __future__ import annotations

from ...protocol.codes import (
    AttendanceState,
    Gender,
    KeyFunction,
    MessageKind,
    Nation,
    VerificationMode,
    number_code,
)
from ...protocol.fields import SMALL, CodeTable, Field, Kind, Layout, Table
from ...protocol.parameters import data_command, field_of, fields_of
from ...protocol.versions import IDENTITY_LISTS, NEWEST

MOST_MESSAGE_BYTES = 320
"""Most bytes of a short message, in the terminal's encoding (12.1.1.9)."""
_MESSAGE_NUMBER = {"pattern": "[0-9]{1,10}", "form": "a number of 1 to 10 digits"}


def _key(wire: str, name: str, meaning: str) -> Field:
    return Field(
        wire=wire,
        name=name,
        required=True,
        pattern=r"[^\x00-\x1f=]{1,64}",
        form="1 to 64 characters, without control characters and =",
        meaning=meaning,
    )


def _table(
    name: str,
    section: str,
    meaning: str,
    fields: tuple[Field, ...],
    aliases: tuple[str, ...] = (),
    transfer: tuple[str, ...] = (),
) -> Table:
    """Declare a table of entries; its required fields form the key."""
    return Table(
        name=name,
        section=section,
        meaning=meaning,
        layout=Layout.KEYED,
        keyword=name,
        least_bytes=192,
        key=tuple(field.name for field in fields if field.required),
        holds_templates=False,
        fields=fields,
        aliases=aliases,
        transfer=transfer,
    )


WORKCODE = _table(
    "WORKCODE",
    "12.1.1.12",
    "Work codes",
    (
        Field(wire="PIN", name="index", meaning="Index of the work code"),
        _key("CODE", "code", "Work code"),
        Field(wire="NAME", name="name", meaning="Name of the work code"),
    ),
    transfer=("WORKCODE",),
)

SMS = _table(
    "SMS",
    "12.1.1.9",
    "Short messages",
    (
        Field(wire="MSG", name="message", meaning="Text of the message"),
        Field(
            wire="TAG",
            name="tag",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="253 for everyone, 254 for one user, 255 reserved",
            codes=MessageKind,
        ),
        _key("UID", "number", "Number of the message"),
        Field(
            wire="MIN",
            name="minutes",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="Validity in minutes",
        ),
        Field(wire="StartTime", name="start_time", meaning="Start of its validity (wall clock)"),
    ),
)

USER_SMS = _table(
    "USER_SMS",
    "12.1.1.10",
    "Who a short message is for",
    (_key("PIN", "pin", "User ID"), _key("UID", "number", "Number of the message")),
)

_PERSON = (
    _key("IDNum", "id_number", "Citizen ID number"),
    Field(wire="Name", name="name", meaning="Name (2.4.2)"),
    Field(
        wire="Gender",
        name="gender",
        meaning="1 male, 2 female (2.4.2)",
        codes=number_code(Gender),
    ),
    Field(
        wire="Nation",
        name="nation",
        meaning="Ethnic code, 11.6 (2.4.2)",
        codes=number_code(Nation),
    ),
)

BLACKLIST = _table("Blacklist", "12.1.1.18", "Identity cards that are refused", _PERSON)
WHITELIST = _table("WHITELIST", "12.1.1.18", "Identity cards that are let in (2.4.2)", _PERSON)

_PICTURE = (
    _key("Index", "index", "Number of the picture"),
    Field(wire="Size", name="size", meaning="Size of the picture"),
    Field(wire="Extension", name="extension", meaning="Form of the picture, such as jpg"),
    Field(wire="Content", name="content", meaning="The picture, in base64"),
)

ADPIC = _table("ADPIC", "12.1.1.11", "Publicity pictures", _PICTURE)
WALLPAPER = _table("WALLPAPER", "12.1.1.11", "Pictures behind the clock (2.4.2)", _PICTURE)

_DAYS = (
    ("Sun", "Sunday"),
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
)
_PERIOD_DAYS = ("Sun", "Mon", "Tues", "Wed", "Thurs", "Fri", "Sat")
"""Spelling of 12.1.1.15 in the line of the command."""


def _integer(
    wire: str,
    meaning: str,
    *,
    required: bool = False,
    minimum: int = 0,
    maximum: int = SMALL,
    codes: CodeTable | None = None,
) -> Field:
    return Field(
        wire=wire,
        name=wire,
        kind=Kind.INTEGER,
        required=required,
        minimum=minimum,
        maximum=maximum,
        meaning=meaning,
        codes=codes,
    )


def _text(wire: str, meaning: str, pattern: str | None = None, form: str | None = None) -> Field:
    """Declare a text; `form` is its pattern in words."""
    return Field(wire=wire, name=wire, meaning=meaning, pattern=pattern, form=form)


def _access_table(name: str, section: str, meaning: str, *fields: Field) -> Table:
    """Declare a table whose first field is the number of the entry."""
    return Table(
        name=name,
        section=section,
        meaning=meaning,
        layout=Layout.KEYED,
        keyword=name,
        key=(fields[0].name,),
        fields=fields,
    )


_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_HOUR_MINUTE = "([01][0-9]|2[0-3])[0-5][0-9]"
_MONTH_DAY = "(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
_DAY_FORM = "a day MMDD such as 1123 for November 23"

SHORTCUT_KEY = _access_table(
    "ShortcutKey",
    "12.1.1.13",
    "What the function keys do",
    _integer("KeyID", "1 to 8 for F1 to F8", required=True, minimum=1, maximum=8),
    _integer(
        "KeyFun",
        "0 nothing, 1 state key, 2 work code, 3 short message, 4 help, 5 records, 6 last record",
        required=True,
        maximum=6,
        codes=KeyFunction,
    ),
    _integer("StatusCode", "Attendance state that the key stands for", codes=AttendanceState),
    _text("ShowName", "Name on the screen"),
    _integer("AutoState", "1: the state switches automatically", maximum=1),
    _text(
        "AutoTime",
        "Times of the automatic switch, from Monday to Sunday",
        f"{_CLOCK}(;{_CLOCK}){{0,6}}",
        "one to seven times such as 08:00;08:30",
    ),
    *(_integer(wire, f"1: switches automatically on {day}", maximum=1) for wire, day in _DAYS),
)

ACCESS_GROUP = _access_table(
    "AccGroup",
    "12.1.1.14",
    "Access groups",
    _integer("ID", "Number of the group", required=True),
    _integer("Verify", "Verification mode, Appendix 7", codes=VerificationMode),
    _integer("ValidHoliday", "1: valid on holidays", maximum=1),
    _text(
        "TZ",
        "Whether the group's time periods are used, then three of them: 1;1;0;0",
        "[0-9]{1,5}(;[0-9]{1,5}){3}",
        "four numbers such as 1;1;0;0",
    ),
)

ACCESS_TIME_ZONE = _access_table(
    "AccTimeZone",
    "12.1.1.15",
    "Access time periods",
    _integer("UID", "Number of the time period", required=True),
    *(
        _text(
            f"{day}{end}",
            f"{title} on {day}, such as 1159",
            _HOUR_MINUTE,
            "a time HHMM such as 1159",
        )
        for day in _PERIOD_DAYS
        for end, title in (("Start", "Begin"), ("End", "End"))
    ),
)

ACCESS_HOLIDAY = _access_table(
    "AccHoliday",
    "12.1.1.16",
    "Access holidays",
    _integer("UID", "Number of the holiday", required=True),
    _text("HolidayName", "Name of the holiday"),
    _text("StartDate", "First day, such as 1123 for November 23", _MONTH_DAY, _DAY_FORM),
    _text("EndDate", "Last day", _MONTH_DAY, _DAY_FORM),
    _integer("TimeZone", "Number of the time period"),
)

ACCESS_UNLOCK_COMBINATION = _access_table(
    "AccUnLockComb",
    "12.1.1.17",
    "Groups that open the door together",
    _integer("UID", "Number of the combination", required=True),
    *(_integer(f"Group{number}", f"Group of person {number}") for number in range(1, 6)),
)

TABLES = (WORKCODE, SMS, USER_SMS, BLACKLIST, WHITELIST, ADPIC, WALLPAPER)

COMMANDS = (
    data_command(
        "UPDATE",
        "SMS",
        "12.1.1.9",
        "Add or change a short message",
        field_of(SMS, "message", required=True, most_bytes=MOST_MESSAGE_BYTES),
        field_of(SMS, "tag", required=True, choices=(253, 254, 255)),
        field_of(SMS, "number", **_MESSAGE_NUMBER),
        field_of(SMS, "minutes"),
        field_of(SMS, "start_time", kind=Kind.TIME),
        key=SMS.key,
    ),
    data_command(
        "UPDATE",
        "USER_SMS",
        "12.1.1.10",
        "Assign a short message to a user",
        field_of(USER_SMS, "pin"),
        field_of(USER_SMS, "number", **_MESSAGE_NUMBER),
        key=USER_SMS.key,
    ),
    data_command(
        "UPDATE",
        "ADPIC",
        "12.1.1.11",
        "Add or change a publicity picture",
        *fields_of(ADPIC),
        key=ADPIC.key,
    ),
    data_command(
        "UPDATE",
        "WORKCODE",
        "12.1.1.12",
        "Add or change a work code",
        *fields_of(WORKCODE),
        key=WORKCODE.key,
    ),
    data_command(
        "UPDATE",
        "ShortcutKey",
        "12.1.1.13",
        "Configure a function key",
        *fields_of(SHORTCUT_KEY),
        key=SHORTCUT_KEY.key,
    ),
    data_command(
        "UPDATE",
        "AccGroup",
        "12.1.1.14",
        "Change an access group",
        *fields_of(ACCESS_GROUP),
        key=ACCESS_GROUP.key,
    ),
    data_command(
        "UPDATE",
        "AccTimeZone",
        "12.1.1.15",
        "Change an access time period",
        *fields_of(ACCESS_TIME_ZONE),
        key=ACCESS_TIME_ZONE.key,
    ),
    data_command(
        "UPDATE",
        "AccHoliday",
        "12.1.1.16",
        "Change an access holiday",
        *fields_of(ACCESS_HOLIDAY),
        key=ACCESS_HOLIDAY.key,
    ),
    data_command(
        "UPDATE",
        "AccUnLockComb",
        "12.1.1.17",
        "Define the groups that unlock the door together",
        *fields_of(ACCESS_UNLOCK_COMBINATION),
        key=ACCESS_UNLOCK_COMBINATION.key,
    ),
    data_command(
        "UPDATE",
        "Blacklist",
        "12.1.1.18",
        "Add an identity card to the blacklist",
        *fields_of(BLACKLIST),
        since=IDENTITY_LISTS,
        key=BLACKLIST.key,
    ),
    data_command(
        "UPDATE",
        "WHITELIST",
        "12.1.1.18",
        "Add an identity card to the whitelist (2.4.2)",
        *fields_of(WHITELIST),
        since=NEWEST,
        key=WHITELIST.key,
    ),
    data_command(
        "UPDATE",
        "WALLPAPER",
        "12.1.1.11",
        "Add or change a wallpaper (2.4.2)",
        *fields_of(WALLPAPER),
        since=NEWEST,
        key=WALLPAPER.key,
    ),
    data_command(
        "DELETE",
        "SMS",
        "12.1.2.8",
        "Delete a short message",
        field_of(SMS, "number", **_MESSAGE_NUMBER),
    ),
    data_command(
        "DELETE", "WORKCODE", "12.1.2.9", "Delete a work code", field_of(WORKCODE, "code")
    ),
    data_command(
        "DELETE", "ADPIC", "12.1.2.10", "Delete a publicity picture", field_of(ADPIC, "index")
    ),
)
