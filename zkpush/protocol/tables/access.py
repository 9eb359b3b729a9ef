"""Access control and keys: what only the server sets (12.1.1.13 to 12.1.1.17)."""

from __future__ import annotations

from ..fields import SMALL, Field, Kind, Layout, Table

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
"""As 12.1.1.15 spells them in the line of the command."""


def _integer(
    wire: str, meaning: str, *, required: bool = False, minimum: int = 0, maximum: int = SMALL
) -> Field:
    return Field(
        wire=wire,
        name=wire,
        kind=Kind.INTEGER,
        required=required,
        minimum=minimum,
        maximum=maximum,
        meaning=meaning,
    )


def _text(wire: str, meaning: str, pattern: str | None = None) -> Field:
    return Field(wire=wire, name=wire, meaning=meaning, pattern=pattern)


def _table(name: str, section: str, meaning: str, *fields: Field) -> Table:
    """A table whose first field is the number of what it says."""
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

SHORTCUT_KEY = _table(
    "ShortcutKey",
    "12.1.1.13",
    "What the function keys do",
    _integer("KeyID", "1 to 8 for F1 to F8", required=True, minimum=1, maximum=8),
    _integer(
        "KeyFun",
        "0 nothing, 1 state key, 2 work code, 3 short message, 4 help, 5 records, 6 last record",
        required=True,
        maximum=6,
    ),
    _integer("StatusCode", "Attendance state that the key stands for"),
    _text("ShowName", "Name on the screen"),
    _integer("AutoState", "1: the state switches automatically", maximum=1),
    _text(
        "AutoTime",
        "Times of the automatic switch, from Sunday to Saturday",
        f"{_CLOCK}(;{_CLOCK}){{0,6}}",
    ),
    *(_integer(wire, f"1: switches automatically on {day}", maximum=1) for wire, day in _DAYS),
)

ACCESS_GROUP = _table(
    "AccGroup",
    "12.1.1.14",
    "Access groups",
    _integer("ID", "Number of the group", required=True),
    _integer("Verify", "Verification mode, Appendix 7"),
    _integer("ValidHoliday", "1: valid on holidays", maximum=1),
    _text(
        "TZ",
        "Whether the group's time periods are used, then three of them: 1;1;0;0",
        "[0-9]{1,5}(;[0-9]{1,5}){3}",
    ),
)

ACCESS_TIME_ZONE = _table(
    "AccTimeZone",
    "12.1.1.15",
    "Access time periods",
    _integer("UID", "Number of the time period", required=True),
    *(
        _text(f"{day}{end}", f"{title} on {day}, such as 1159", _HOUR_MINUTE)
        for day in _PERIOD_DAYS
        for end, title in (("Start", "Begin"), ("End", "End"))
    ),
)

ACCESS_HOLIDAY = _table(
    "AccHoliday",
    "12.1.1.16",
    "Access holidays",
    _integer("UID", "Number of the holiday", required=True),
    _text("HolidayName", "Name of the holiday"),
    _text("StartDate", "First day, such as 1123 for November 23", _MONTH_DAY),
    _text("EndDate", "Last day", _MONTH_DAY),
    _integer("TimeZone", "Number of the time period"),
)

ACCESS_UNLOCK_COMBINATION = _table(
    "AccUnLockComb",
    "12.1.1.17",
    "Groups that open the door together",
    _integer("UID", "Number of the combination", required=True),
    *(_integer(f"Group{number}", f"Group of person {number}") for number in range(1, 6)),
)
