"""Names of tables, fields and states of access data in the console."""

from __future__ import annotations

from collections.abc import Mapping

from ...manage.console.phrases import Phrase
from ...phrases import counted_phrase
from ...values.accesswords import TABLE_NAMES
from .checks import DAYS, FOR_USERS, MOST_MESSAGE_BYTES, PUBLIC
from .declared import CLOSED, MOST_NUMBER

TABLE_LABELS: Mapping[str, tuple[Phrase, Phrase]] = {
    "time-periods": (
        TABLE_NAMES["time-periods"],
        Phrase("When people may enter, for each day of the week."),
    ),
    "holidays": (
        TABLE_NAMES["holidays"],
        Phrase("Days of every year on which another time period holds."),
    ),
    "groups": (
        TABLE_NAMES["groups"],
        Phrase("How people of a group verify, and when they may enter."),
    ),
    "combinations": (
        TABLE_NAMES["combinations"],
        Phrase("Groups whose people open the door together."),
    ),
    "work-codes": (
        TABLE_NAMES["work-codes"],
        Phrase("What people choose for the work they begin."),
    ),
    "messages": (TABLE_NAMES["messages"], Phrase("Short messages on the screen.")),
    "shortcut-keys": (TABLE_NAMES["shortcut-keys"], Phrase("What the keys F1 to F8 do.")),
    "pictures": (TABLE_NAMES["pictures"], Phrase("Pictures on the screen.")),
}
"""Names and descriptions of tables."""
FIELD_LABELS: Mapping[str, Phrase] = {
    "monday": Phrase("Monday"),
    "tuesday": Phrase("Tuesday"),
    "wednesday": Phrase("Wednesday"),
    "thursday": Phrase("Thursday"),
    "friday": Phrase("Friday"),
    "saturday": Phrase("Saturday"),
    "sunday": Phrase("Sunday"),
    "name": Phrase("Name"),
    "start": Phrase("Start"),
    "end": Phrase("End"),
    "time_period": Phrase("Time period"),
    "verify": Phrase("Verification"),
    "valid_on_holidays": Phrase("Holds on holidays"),
    "time_periods": Phrase("Time periods"),
    "groups": Phrase("Groups"),
    "index": Phrase("Place in the list"),
    "text": Phrase("Text"),
    "kind": Phrase("For whom"),
    "users": Phrase("User IDs"),
    "minutes": Phrase("Minutes"),
    "function": Phrase("Function"),
    "state": Phrase("State"),
    "content": Phrase("JPEG file"),
    "bytes": Phrase("Size in bytes"),
}
"""Names of fields."""
CHOICE_LABELS: Mapping[str, Phrase] = {
    PUBLIC: Phrase("Everybody"),
    FOR_USERS: Phrase("The people with these user IDs"),
}
"""Texts that can be chosen."""
_NUMBER = (Phrase("Number"), Phrase("A number from 1 to %(most)s.", most=MOST_NUMBER))
KEY_LABELS: Mapping[str, tuple[Phrase, Phrase]] = {
    "work-codes": (
        Phrase("Code"),
        Phrase(
            "What people enter at terminals: 1 to 24 characters, without spaces, = and /. It is "
            "in the attendance records."
        ),
    ),
    "shortcut-keys": (Phrase("Function key"), Phrase("1 to 8 for the keys F1 to F8.")),
}
"""Names and hints of the keys of entries, by table."""


def key_label(table: str) -> tuple[Phrase, Phrase]:
    """Return the name and the hint of the key of entries of a table."""
    return KEY_LABELS.get(table, _NUMBER)


_OPENING = Phrase(
    "Begin and end, such as 08:00-17:30. Write %(closed)s for a day without entry.", closed=CLOSED
)
_DATE = Phrase("Month and day, such as 12-24.")
FIELD_HINTS: Mapping[tuple[str, str], Phrase] = {
    **{("time-periods", day): _OPENING for day in DAYS},
    ("holidays", "start"): _DATE,
    ("holidays", "end"): _DATE,
    ("holidays", "time_period"): Phrase("The number of the time period that holds then."),
    ("groups", "time_periods"): Phrase(
        "Numbers of up to three time periods, with commas between them."
    ),
    ("combinations", "groups"): Phrase(
        "Numbers of up to five groups, one for each person, with commas between them. A group may "
        "be named several times."
    ),
    ("work-codes", "index"): Phrase("Without one, the next free place."),
    ("messages", "text"): counted_phrase(
        "At most %(num)s byte in the encoding of the terminal.",
        "At most %(num)s bytes in the encoding of the terminal.",
        MOST_MESSAGE_BYTES,
    ),
    ("messages", "users"): Phrase("With commas between them."),
    ("messages", "start"): Phrase("By the clock of the terminal, such as 2026-03-01 08:00."),
    ("messages", "minutes"): Phrase("How long it appears."),
    **{
        ("shortcut-keys", day): Phrase("When the state switches by itself, such as 08:00.")
        for day in DAYS
    },
    ("pictures", "content"): Phrase("A JPEG file of at most 512 KiB."),
}
"""Hints of fields that need one, by table and field."""
STATE_LABELS: Mapping[str, tuple[Phrase, str]] = {
    "there": (Phrase("is there"), "good"),
    "on_its_way": (Phrase("on its way"), "calm"),
    "refused": (Phrase("refused by the terminal"), "bad"),
    "does_not_fit": (Phrase("does not fit"), "warn"),
    "unknown": (Phrase("no answer"), "warn"),
}
"""States of entries on terminals: words, and kinds of badges."""
