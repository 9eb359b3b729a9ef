"""Parameters of commands that are fields of the records that the commands are about (12)."""

from __future__ import annotations

from typing import Any

import msgspec

from .fields import SMALL, Field, Kind, Table


def field_of(table: Table, name: str, wire: str | None = None, **more: Any) -> Field:
    """A field of a record as a parameter, spelled as the command's own section spells it.

    It has no default: what is not given is not sent.
    """
    field = table.field(name)
    return msgspec.structs.replace(field, **{"wire": wire or field.wire, "default": None, **more})


def fields_of(table: Table, *names: str) -> tuple[Field, ...]:
    """Fields of a record as parameters; all of them, if none is named."""
    return tuple(field_of(table, name) for name in names or table.names)


def _time(wire: str, meaning: str) -> Field:
    return Field(wire=wire, name=wire, kind=Kind.TIME, required=True, meaning=meaning)


def count_of(wire: str, meaning: str) -> Field:
    """A number of records, in the result of a command."""
    return Field(wire=wire, name=wire, kind=Kind.INTEGER, minimum=0, maximum=SMALL, meaning=meaning)


PERIOD = (
    _time("StartTime", "Start of the period (wall clock)"),
    _time("EndTime", "End of the period (wall clock)"),
)
FINGER: dict[str, Any] = {"minimum": 0, "maximum": 9}
VALID: dict[str, Any] = {"choices": (0, 1)}
TYPE: dict[str, Any] = {"minimum": 0, "maximum": 10}
