"""Stored records: frozen structs, derived from the tables that declare their fields.

A noun declares a struct with the fields that its code uses by name; `stored_type` adds the other
fields of the table, so that each field is declared once. Times follow `zkpush.model`.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from .protocol import fields


class StoredRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of all stored records."""

    id: int
    extra: dict[str, str] | None = None
    """Values that the protocol does not declare, by name on the wire."""
    damaged: tuple[str, ...] = ()
    """Names of the values that cannot be decrypted; they are None here."""


class TerminalRecord(StoredRecord, frozen=True, kw_only=True):
    """A record that a terminal sent, stored unchanged."""

    device: str
    """Serial number of the terminal."""
    received_at: int


class DatedRecord(TerminalRecord, frozen=True, kw_only=True):
    """A record with a time of its own."""

    time: str
    utc: int
    """The time as an instant, in seconds since the epoch."""
    doubt: str | None = None
    """Reason to doubt the time; see `zkpush.protocol.times`."""


R = TypeVar("R", bound=StoredRecord)


def stored_type(struct: type[R], table: fields.Table) -> type[R]:
    """Make the struct of a table's stored records: `struct`, and the fields that it lacks.

    `TypeError` if a field of `struct` has another type than the table declares.
    """
    own = {field.name: field.type for field in msgspec.structs.fields(struct)}
    added = []
    for field in table.fields:
        if not field.stored:
            continue
        if field.name not in own:
            added.append((field.name, field.kind.python | None, None))
        elif own[field.name] not in (field.kind.python, field.kind.python | None):
            raise TypeError(f"{struct.__name__}.{field.name} is not as {table.name} declares it")
    derived: Any = msgspec.defstruct(
        struct.__name__,
        added,
        bases=(struct,),
        module=struct.__module__,
        namespace={"__doc__": struct.__doc__},
        frozen=True,
        kw_only=True,
    )
    kind: type[R] = derived
    return kind
