"""`zkpush operations`, `zkpush errors` and `zkpush idcards`: logs of terminals."""

from __future__ import annotations

from ...cli.records import record_word
from ...cli.tables import Column
from ...cli.times import shown_instant, shown_wall_time

_ID, _DEVICE = Column("ID", "id", is_spare=True), Column("Device", "device")

operations = record_word(
    "operations",
    "List operations on terminals, such as changes by an administrator.",
    (
        _ID,
        _DEVICE,
        Column("Time", "time", shown_wall_time),
        Column("Operation", "meaning", wraps=True),
        Column("Operator", "operator"),
    ),
)
errors = record_word(
    "errors",
    "List errors that terminals report.",
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
    "List identity cards that terminals read.",
    (
        _ID,
        _DEVICE,
        Column("Received", "received_at", shown_instant),
        Column("PIN", "pin"),
        Column("ID number", "id_number"),
        Column("Name", "name", wraps=True),
    ),
)
