"""`zkpush operations`, `zkpush errors` and `zkpush idcards`: logs of terminals."""

from __future__ import annotations

from ...cli.records import record_word
from ...cli.replies import Item
from ...cli.tables import Column, printable
from ...cli.times import shown_instant, shown_wall_time
from .words import WORDS


class _Objects(Column):
    """What an operation was about: its objects with their names, in words where they are coded."""

    def text(self, item: Item) -> str:
        """Return the text of the cell."""
        objects = {**item["values"], **item["values_meaning"]}
        return printable(", ".join(f"{name}: {value}" for name, value in objects.items() if value))


_ID, _DEVICE = Column("ID", "id", is_spare=True), Column("Device", "device")

operations = record_word(
    "operations",
    WORDS["operations"],
    (
        _ID,
        _DEVICE,
        Column("Time", "time", shown_wall_time),
        Column("Operation", "meaning", wraps=True),
        _Objects("About", "values", wraps=True),
        Column("Operator", "operator_meaning"),
    ),
    {"code": "Only operations of this code, spec Appendix 3; 9 is the deletion of a user."},
)
errors = record_word(
    "errors",
    WORDS["errors"],
    (
        _ID,
        _DEVICE,
        Column("Received", "received_at", shown_instant),
        Column("Code", "code"),
        Column("Meaning", "meaning", wraps=True),
        Column("Message", "message", wraps=True),
    ),
)
idcards = record_word(
    "idcards",
    WORDS["idcards"],
    (
        _ID,
        _DEVICE,
        Column("Received", "received_at", shown_instant),
        Column("PIN", "pin"),
        Column("ID number", "id_number"),
        Column("Name", "name", wraps=True),
    ),
    {"pin": "Only the cards of this user."},
)
