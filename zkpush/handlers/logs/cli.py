"""`zkpush operations`, `zkpush errors` and `zkpush idcards`: logs of terminals."""

from __future__ import annotations

from ...cli.output import Column
from ...cli.records import record_word

_ID, _DEVICE = Column("ID", "id"), Column("Device", "device")

operations = record_word(
    "operations",
    "List operations on terminals, such as changes by an administrator.",
    (
        _ID,
        _DEVICE,
        Column("Time", "time"),
        Column("Operation", "meaning"),
        Column("Operator", "operator"),
    ),
)
errors = record_word(
    "errors",
    "List errors that terminals report.",
    (
        _ID,
        _DEVICE,
        Column("Received", "received_at"),
        Column("Code", "code"),
        Column("Meaning", "meaning"),
        Column("Message", "message"),
    ),
)
idcards = record_word(
    "idcards",
    "List identity cards that terminals read.",
    (
        _ID,
        _DEVICE,
        Column("Received", "received_at"),
        Column("PIN", "pin"),
        Column("ID number", "id_number"),
        Column("Name", "name"),
    ),
)
