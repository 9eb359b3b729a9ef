"""Checks of the fields of an entry together, once each of them is right.

Each check returns the mistakes by the name of the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from ...phrases import Phrase, counted_phrase
from ...protocol.codes import KeyFunction
from .fields import Value

MOST_MESSAGE_BYTES = 320
"""Most bytes of a message, in the encoding of the terminal (12.1.1.9)."""
PUBLIC, FOR_USERS = "public", "users"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def check_nothing(found: Mapping[str, Value]) -> dict[str, str]:
    """Find no mistakes: the fields do not depend on each other."""
    return {}


def check_days(found: Mapping[str, Value]) -> dict[str, str]:
    """A begin after the end would close the day on terminals."""
    mistakes: dict[str, str] = {}
    for day in DAYS:
        begin, _, end = str(found[day]).partition("-")
        if end and end < begin:
            mistakes[day] = Phrase(
                "the end %(end)s is before the begin %(begin)s; divide it at midnight",
                end=end,
                begin=begin,
            )
    return mistakes


def check_holiday(found: Mapping[str, Value]) -> dict[str, str]:
    """Find days that no year has, and an end before the start."""
    mistakes: dict[str, str] = {}
    for name in ("start", "end"):
        month, _, day = str(found[name]).partition("-")
        try:
            date(2024, int(month), int(day))  # a leap year
        except ValueError:
            mistakes[name] = Phrase("%(day)s is not a day of the year", day=found[name])
    if not mistakes and str(found["end"]) < str(found["start"]):
        mistakes["end"] = Phrase(
            "%(end)s is before %(start)s; define two holidays, one for each year",
            end=found["end"],
            start=found["start"],
        )
    return mistakes


def check_message(found: Mapping[str, Value]) -> dict[str, str]:
    """Find a text that is too long, a day that no calendar has, and users of the wrong kind."""
    mistakes: dict[str, str] = {}
    text = str(found["text"])
    least = min(len(text.encode(one, "replace")) for one in ("utf-8", "gb18030"))
    if least > MOST_MESSAGE_BYTES:
        mistakes["text"] = counted_phrase(
            "has %(num)s byte in the encoding of terminals; at most %(most)s fit",
            "has %(num)s bytes in the encoding of terminals; at most %(most)s fit",
            least,
            most=MOST_MESSAGE_BYTES,
        )
    try:
        datetime.fromisoformat(str(found["start"]))
    except ValueError:
        mistakes["start"] = Phrase("%(day)s is not a day of the calendar", day=found["start"])
    users = found.get("users")
    if found["kind"] == FOR_USERS and not users:
        mistakes["users"] = Phrase("is needed for a message of the kind users")
    elif found["kind"] == PUBLIC and users:
        mistakes["users"] = Phrase("a public message is for everyone; set the kind users")
    return mistakes


def check_shortcut(found: Mapping[str, Value]) -> dict[str, str]:
    """Find what only a state key has at another key, and a state key without a state."""
    is_state = found["function"] == KeyFunction.STATE_KEY
    days = [day for day in DAYS if day in found]
    if is_state and "state" not in found:
        return {"state": Phrase("is needed for a state key")}
    if not is_state:
        only: str = Phrase("is for state keys only")
        return {name: only for name in ("state", *days) if name in found}
    return {}
