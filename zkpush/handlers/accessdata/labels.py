"""Names of tables, fields and states of access data in the console."""

from __future__ import annotations

from collections.abc import Mapping

from ...manage.console.phrases import Phrase

TABLE_LABELS: Mapping[str, tuple[Phrase, Phrase]] = {
    "time-periods": (
        Phrase("Time periods"),
        Phrase("When people may enter, for each day of the week."),
    ),
    "holidays": (
        Phrase("Holidays"),
        Phrase("Days of every year on which another time period holds."),
    ),
    "groups": (Phrase("Groups"), Phrase("How people of a group verify, and when they may enter.")),
    "combinations": (
        Phrase("Combinations"),
        Phrase("Groups whose people open the door together."),
    ),
    "work-codes": (Phrase("Work codes"), Phrase("What people choose for the work they begin.")),
    "messages": (Phrase("Messages"), Phrase("Short messages on the screen.")),
    "shortcut-keys": (Phrase("Function keys"), Phrase("What the keys F1 to F8 do.")),
    "pictures": (Phrase("Publicity pictures"), Phrase("Pictures on the screen.")),
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
STATE_LABELS: Mapping[str, tuple[Phrase, str]] = {
    "there": (Phrase("is there"), "good"),
    "on_its_way": (Phrase("on its way"), "calm"),
    "refused": (Phrase("refused by the terminal"), "bad"),
    "does_not_fit": (Phrase("does not fit"), "warn"),
    "unknown": (Phrase("no answer"), "warn"),
}
"""States of entries on terminals: words, and kinds of badges."""
