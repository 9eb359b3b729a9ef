"""Values of events by name, for files and tables of other programs.

Names of attendance records are those of `GET attendance`. `data.NAME` is any field of `data`, of
events of other kinds too.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

from ....manage.recordviews import MEANING
from ....values.forwarding import ForwardedEvent
from ...attendance.tables import ATTLOG

_DATA = "data."
_ANY_FIELD = re.compile(r"data\.[A-Za-z_][A-Za-z0-9_]{0,60}", re.ASCII)
OWN = {
    "event_id": "Identity of the event, which never changes; a correction has that of its event",
    "event_type": "Kind of the event",
    "direction": "in or out, by the rule `directions` of the forwarder",
    "stored_at": "When the server stored it, UTC",
    "date": "Date of the terminal's wall clock",
    "clock": "Time of day of the terminal's wall clock",
    "moment": "Date and time of the terminal's wall clock",
}
"""Names of values that are not in `data`, with their meaning."""
RECORD = (
    "id",
    "device",
    *(field.name for field in ATTLOG.fields),
    *(f"{field.name}{MEANING}" for field in ATTLOG.fields if field.codes is not None),
    "utc",
    "local_time",
    "received_at",
    "doubt",
)
"""Names of the fields of an attendance record."""


def check_names(setting: str, names: Iterable[str]) -> None:
    """Raise `ValueError` unless all names are those of values."""
    for name in names:
        if name not in OWN and name not in RECORD and not _ANY_FIELD.fullmatch(name):
            there = ", ".join([*OWN, *RECORD])
            raise ValueError(
                f"{setting}: There is no value {name[:40]!r}; there are {there}, and data.NAME for "
                "other fields of an event."
            )


def moment_of(event: ForwardedEvent) -> datetime.datetime:
    """Return the terminal's wall clock at an event; UTC of its storage if it has no time."""
    for text in (event.data.get("time"), event.timestamp):
        try:
            return datetime.datetime.fromisoformat(str(text)).replace(tzinfo=None, microsecond=0)
        except ValueError:
            continue
    raise ValueError(f"The event {event.id} has no time.")


def value_of(event: ForwardedEvent, name: str) -> object:
    """Return a value by its name; None if the event has none."""
    match name:
        case "event_id":
            return event.subject
        case "event_type":
            return event.type
        case "stored_at":
            return event.timestamp
        case "date":
            return str(moment_of(event).date())
        case "clock":
            return str(moment_of(event).time())
        case "moment":
            return str(moment_of(event))
    return event.data.get(name.removeprefix(_DATA))
