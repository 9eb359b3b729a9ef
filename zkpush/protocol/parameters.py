"""Helpers to declare commands and their parameters in the tables of nouns (spec 12)."""

from __future__ import annotations

from typing import Any

import msgspec

from .codes import Flag
from .coding import CodeTable
from .fields import SMALL, Command, Field, Kind, Scope, Table
from .versions import BASELINE, Version


def field_of(table: Table, name: str, wire: str | None = None, **more: Any) -> Field:
    """A record field as a parameter, with the wire name of the command's section.

    It has no default: an omitted parameter is not sent.
    """
    field = table.field(name)
    return msgspec.structs.replace(field, **{"wire": wire or field.wire, "default": None, **more})


def fields_of(table: Table, *names: str) -> tuple[Field, ...]:
    """Record fields as parameters; all fields if none is named."""
    return tuple(field_of(table, name) for name in names or table.names)


def number_field(
    wire: str,
    name: str,
    meaning: str,
    *,
    default: int | None = None,
    codes: CodeTable | None = None,
    label: str | None = None,
) -> Field:
    """A non-negative integer field."""
    return Field(
        wire=wire,
        name=name,
        kind=Kind.INTEGER,
        minimum=0,
        maximum=SMALL,
        default=default,
        meaning=meaning,
        label=label,
        codes=codes,
    )


def flag_field(wire: str, name: str, meaning: str, label: str) -> Field:
    """A parameter that is 0 or 1; the label is a statement that 1 makes true."""
    return Field(
        wire=wire,
        name=name,
        kind=Kind.INTEGER,
        choices=(0, 1),
        meaning=meaning,
        label=label,
        codes=Flag,
    )


def count_of(wire: str, meaning: str) -> Field:
    """A count of records in the result of a command."""
    return Field(wire=wire, name=wire, kind=Kind.INTEGER, minimum=0, maximum=SMALL, meaning=meaning)


AT_ONCE = 60
"""Lifetime in seconds of a command for a person waiting at the door or the reader."""
DAY = 24 * 3600
_ARRIVED = (
    count_of("records", "Records that have arrived"),
    count_of("announced", "Records that the terminal announced, if fewer have arrived"),
)


def data_command(
    verb: str,
    name: str,
    section: str,
    meaning: str,
    *parameters: Field,
    since: Version = BASELINE,
    one_of: tuple[str, ...] = (),
    utf8: bool = False,
    key: tuple[str, ...] = (),
    has_effect: bool = False,
    needs: str | None = None,
    needs_type: bool = False,
) -> Command:
    """A command on the records of a table: UPDATE, DELETE or QUERY (spec 12.1).

    `key` names the fields that identify a record.
    """
    return Command(
        name=f"DATA {verb} {name}",
        section=section,
        reply="DATA",
        meaning=meaning,
        parameters=parameters,
        since=since,
        one_of=one_of,
        utf8=utf8,
        answers=_ARRIVED if verb == "QUERY" else (),
        has_effect=has_effect,
        needs=needs,
        needs_type=needs_type,
        stores_person=verb == "UPDATE" and "pin" in key,
        counts_records=verb == "QUERY",
        file_parameter="Url" if "Url" in one_of else None,
        key=tuple(field.wire for field in parameters if field.name in key),
    )


def plain_command(
    name: str,
    section: str,
    meaning: str,
    reply: str | None = None,
    *,
    scope: Scope = Scope.WRITE,
    ends_batch: bool = False,
    has_effect: bool = False,
    since: Version = BASELINE,
    is_repeatable: bool = True,
    wait_seconds: int | None = None,
    priority: int = 0,
    restarts: bool = False,
    asks_for_exchange: bool = False,
) -> Command:
    """A command without parameters."""
    return Command(
        name=name,
        section=section,
        reply=reply or name,
        meaning=meaning,
        scope=scope,
        ends_batch=ends_batch,
        has_effect=has_effect,
        since=since,
        is_repeatable=is_repeatable,
        wait_seconds=wait_seconds,
        priority=priority,
        restarts=restarts,
        asks_for_exchange=asks_for_exchange,
    )


def clear_command(
    what: str, section: str, meaning: str, *, ends_batch: bool = False, since: Version = BASELINE
) -> Command:
    """A CLEAR command (spec 12.2); repeated, it would delete newer data."""
    return plain_command(
        f"CLEAR {what}",
        section,
        meaning,
        f"CLEAR_{what}" if since == BASELINE else None,
        scope=Scope.DANGEROUS,
        ends_batch=ends_batch,
        since=since,
        is_repeatable=False,
        wait_seconds=DAY,
    )
