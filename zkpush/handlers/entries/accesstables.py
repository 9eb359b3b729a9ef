"""Access control on terminals (12.1.1.13 to 12.1.1.17), which is never uploaded."""

from __future__ import annotations

from ...protocol.codes import AttendanceState, Flag, KeyFunction, VerificationMode
from ...protocol.coding import CodeTable
from ...protocol.fields import SMALL, Field, Kind, Layout, Table

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
    label: str | None = None,
) -> Field:
    return Field(
        wire=wire,
        name=wire,
        kind=Kind.INTEGER,
        required=required,
        minimum=minimum,
        maximum=maximum,
        meaning=meaning,
        label=label,
        codes=codes,
    )


def _flag(wire: str, meaning: str, label: str) -> Field:
    return _integer(wire, meaning, maximum=1, codes=Flag, label=label)


def _text(
    wire: str,
    meaning: str,
    pattern: str | None = None,
    form: str | None = None,
    label: str | None = None,
) -> Field:
    """Declare a text; `form` is its pattern in words."""
    return Field(wire=wire, name=wire, meaning=meaning, label=label, pattern=pattern, form=form)


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
    _integer(
        "KeyID",
        "1 to 8 for F1 to F8",
        required=True,
        minimum=1,
        maximum=8,
        label="Number of the function key",
    ),
    _integer(
        "KeyFun",
        "0 nothing, 1 state key, 2 work code, 3 short message, 4 help, 5 records, 6 last record",
        required=True,
        maximum=6,
        codes=KeyFunction,
        label="What the key does",
    ),
    _integer("StatusCode", "Attendance state that the key stands for", codes=AttendanceState),
    _text("ShowName", "Name on the screen"),
    _flag("AutoState", "1: the state switches automatically", "The state switches automatically"),
    _text(
        "AutoTime",
        "Times of the automatic switch, from Monday to Sunday",
        f"{_CLOCK}(;{_CLOCK}){{0,6}}",
        "one to seven times such as 08:00;08:30",
    ),
    *(
        _flag(
            wire,
            f"1: switches automatically on {day}",
            f"Switches automatically on {day}",
        )
        for wire, day in _DAYS
    ),
)

ACCESS_GROUP = _access_table(
    "AccGroup",
    "12.1.1.14",
    "Access groups",
    _integer("ID", "Number of the group", required=True),
    _integer(
        "Verify", "Verification mode, Appendix 7", codes=VerificationMode, label="Verification mode"
    ),
    _flag("ValidHoliday", "1: valid on holidays", "Valid on holidays"),
    _text(
        "TZ",
        "Whether the group's time periods are used, then three of them: 1;1;0;0",
        "[0-9]{1,5}(;[0-9]{1,5}){3}",
        "four numbers such as 1;1;0;0",
        "Time periods",
    ),
)

ACCESS_TIME_ZONE = _access_table(
    "AccTimeZone",
    "12.1.1.15",
    "Access time periods",
    _integer("UID", "Number of the time period", required=True),
    *(
        _text(
            f"{spelling}{end}",
            f"{title} on {spelling}, such as 1159",
            _HOUR_MINUTE,
            "a time HHMM such as 1159",
            f"{title} on {day}",
        )
        for spelling, (_, day) in zip(_PERIOD_DAYS, _DAYS, strict=True)
        for end, title in (("Start", "Begin"), ("End", "End"))
    ),
)

ACCESS_HOLIDAY = _access_table(
    "AccHoliday",
    "12.1.1.16",
    "Access holidays",
    _integer("UID", "Number of the holiday", required=True),
    _text("HolidayName", "Name of the holiday"),
    _text(
        "StartDate", "First day, such as 1123 for November 23", _MONTH_DAY, _DAY_FORM, "First day"
    ),
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
