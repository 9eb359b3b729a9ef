"""The declaration of commands and of their parameters, for the tables of nouns (12)."""

from __future__ import annotations

from typing import Any

import msgspec

from .fields import SMALL, CodeTable, Command, Field, Kind, Scope, Table
from .versions import BASELINE, Version


def field_of(table: Table, name: str, wire: str | None = None, **more: Any) -> Field:
    """A field of a record as a parameter, with the name on the wire of the command's section.

    It has no default: a parameter that is not given is not sent.
    """
    field = table.field(name)
    return msgspec.structs.replace(field, **{"wire": wire or field.wire, "default": None, **more})


def fields_of(table: Table, *names: str) -> tuple[Field, ...]:
    """Fields of a record as parameters; all of them, if none is named."""
    return tuple(field_of(table, name) for name in names or table.names)


def number_field(
    wire: str,
    name: str,
    meaning: str,
    *,
    default: int | None = None,
    codes: CodeTable | None = None,
) -> Field:
    """A number that is not negative."""
    return Field(
        wire=wire,
        name=name,
        kind=Kind.INTEGER,
        minimum=0,
        maximum=SMALL,
        default=default,
        meaning=meaning,
        codes=codes,
    )


def count_of(wire: str, meaning: str) -> Field:
    """A number of records, in the result of a command."""
    return Field(wire=wire, name=wire, kind=Kind.INTEGER, minimum=0, maximum=SMALL, meaning=meaning)


AT_ONCE = 60
"""Seconds that a command waits for a person at the door or at the reader."""
DAY = 24 * 3600
_ARRIVED = (count_of("records", "Records that have arrived"),)


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
) -> Command:
    """A command on the records of a table: UPDATE, DELETE or QUERY (12.1).

    `key` are the names of the fields that tell records apart.
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
    """A command that clears (12.2): repeated, it would delete what has come since."""
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
