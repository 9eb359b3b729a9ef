"""Rows of commands: queries, decoding and the encrypted body."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    RowMapping,
    ScalarSelect,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from ..endings import end_phrase
from ..model import DEFAULT_AREA
from ..values.commands import OPEN_STATES, CommandFile, CommandState, QueuedCommand
from .commandschema import commands
from .damage import damaged_in
from .schema import devices
from .sealed import opened
from .vault import Vault

_STATES = tuple(sorted(state.value for state in OPEN_STATES))
# Rendered as literals: the partial index of open commands needs constants.
OPEN: BindParameter[Any] = bindparam("open", _STATES, expanding=True, literal_execute=True)
IS_OPEN = commands.c.state.in_(OPEN)
IS_QUEUED = commands.c.state == CommandState.QUEUED.value
IS_SENT = commands.c.state == CommandState.SENT.value


class CommandBody(msgspec.Struct, frozen=True):
    """Encrypted body of a command."""

    params: dict[str, str]
    """Parameters as sent."""
    asked: dict[str, str]
    """Parameters as requested."""
    text: str


def subject_digest(parts: Sequence[str]) -> bytes:
    """Return the digest of the object that commands change, by its kind and key."""
    return hashlib.sha256(msgspec.json.encode(parts)).digest()


def person_subject(pin: str) -> bytes:
    """Return the digest that all commands on a person have."""
    return subject_digest(("pin", pin))


def subject_index(vault: Vault, subject: bytes | None) -> bytes | None:
    """Return the stored form of a subject, which only the holder of the key can reverse."""
    return None if subject is None else vault.index_of(subject)


def area_of(terminal: BindParameter[int], repeats: str | None = None) -> ScalarSelect[Any]:
    """Query for the area of a new command: that of its terminal, or of the command it repeats."""
    if repeats is not None:
        earlier = commands.alias("earlier")
        return select(earlier.c.area).where(earlier.c.id == repeats).scalar_subquery()
    area = func.coalesce(func.nullif(devices.c.area, ""), DEFAULT_AREA)
    return select(area).where(devices.c.id == terminal).scalar_subquery()


def select_commands() -> Any:
    """Query for commands, each with the serial number of its terminal."""
    return select(commands, devices.c.sn).join(devices)


def command_of(vault: Vault, row: RowMapping) -> QueuedCommand:
    """Read a row of `select_commands`."""
    values = opened(vault, commands, row)
    damaged = damaged_in(values)
    body = CommandBody({}, {}, "")
    if values["body"] is not None:
        body = msgspec.json.decode(values["body"], type=CommandBody)
    result = values["result"]
    return QueuedCommand(
        id=row["id"],
        device=row["sn"],
        command=row["command"],
        family=row["family"],
        params=body.params,
        asked=body.asked,
        text=body.text,
        file=None
        if row["file_id"] is None or row["file_digest"] is None
        else CommandFile(row["file_id"], bytes(row["file_digest"])),
        records=row["records"],
        state=CommandState(row["state"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        sent_at=row["sent_at"],
        finished_at=row["finished_at"],
        priority=-row["rank"],
        not_before_at=row["not_before_at"],
        expires_at=row["expires_at"],
        answered_at=row["answered_at"],
        reason=row["reason"],
        replaced_by=row["replaced_by"],
        body_removed_at=row["body_removed_at"],
        area=row["area"],
        job=None if row["job"] is None else (row["job"], row["job_place"]),
        return_code=row["return_code"],
        result=None if result is None else msgspec.json.decode(str(result), type=dict[str, str]),
        damaged=tuple("params" if name == "body" else name for name in damaged),
    )


def reason_words(command: QueuedCommand) -> str | None:
    """Describe why a command ended, in English; None if it has not ended."""
    found = reason_phrase(command)
    return None if found is None else str(found)


def reason_phrase(command: QueuedCommand) -> str | None:
    """Describe why a command ended, for translation; None if it has not ended."""
    gave_up = command.state in (CommandState.CANCELLED, CommandState.EXPIRED)
    return end_phrase(
        command.reason,
        command.attempts,
        command.replaced_by,
        is_answered=gave_up and command.answered_at is not None,
    )


def overdue_rows(
    now: int, lifetime: int, attempts: int, once: Collection[str]
) -> ColumnElement[bool]:
    """Condition for commands to end: late, or without an answer and not to be sent again."""
    is_late = func.coalesce(commands.c.expires_at, commands.c.created_at + lifetime) < now
    is_unanswered = or_(
        is_late,
        commands.c.attempts >= attempts,
        commands.c.command.in_(once),
        commands.c.replaced_by.is_not(None),
    )
    is_over = and_(IS_SENT, commands.c.lease_until <= now, is_unanswered)
    return and_(IS_OPEN, or_(and_(IS_QUEUED, is_late), is_over))


def stays_behind(now: int, once: Collection[str]) -> ColumnElement[bool]:
    """Condition for commands blocked by an earlier one of the same subject that may be resent.

    Resending the earlier command after the later one would undo the later change.
    """
    earlier = commands.alias("earlier")
    return (
        select(earlier.c.seq)
        .where(
            earlier.c.device_id == commands.c.device_id,
            earlier.c.state.in_(OPEN),
            earlier.c.subject == commands.c.subject,
            earlier.c.seq < commands.c.seq,
            earlier.c.state == CommandState.SENT.value,
            earlier.c.lease_until > now,
            earlier.c.replaced_by.is_(None),
            earlier.c.command.not_in(once),
        )
        .exists()
    )
