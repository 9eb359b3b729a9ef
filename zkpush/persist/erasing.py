"""Erasure of one person: the part of each noun, and that of the command queue."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import msgspec
from sqlalchemy import select, update

from ..endings import EndReason
from ..values.commands import OPEN_STATES, CommandState
from . import schema
from .commandrows import CommandBody
from .commandschema import commands
from .sealed import sealed
from .transaction import Transaction


@attrs.frozen(kw_only=True)
class PersonErasure:
    """Erasure of a person, as passed to the parts of nouns that take part in it."""

    tx: Transaction
    pin: str
    """User ID."""
    now: int
    """The time, in milliseconds since the epoch."""
    with_attendance: bool
    """Whether attendance records go too, which otherwise stay under the user ID."""


_READ = ("id", "state", "command", "attempts", "answered_at")
_DELETION = "DATA DELETE "
ErasePerson = Callable[[PersonErasure], int]
"""`erase_person` of a capability's `store` part: removes what its tables hold about a person, and
returns the number of rows that it changed. It runs before those of the capabilities it requires."""


def erase_commands(erasure: PersonErasure, subject: bytes) -> set[str]:
    """Clear the parameters and results of commands on a person; cancel those still open.

    `subject` is the digest that all commands on the person have. Returns the serial numbers of the
    terminals that may have the person: of open deletions, and of sent commands without an answer.
    """
    tx = erasure.tx
    nothing = msgspec.json.encode(CommandBody({}, {}, ""))
    open_states = {state.value for state in OPEN_STATES}
    query = (
        select(*(commands.c[name] for name in _READ), schema.devices.c.sn)
        .join(schema.devices)
        .where(commands.c.subject == subject)
        .order_by(commands.c.seq)
        .with_for_update(of=commands)
    )
    terminals = set()
    for row in tx.connection.execute(query).all():
        is_open = row.state in open_states
        if (row.attempts and row.answered_at is None) or (
            is_open and row.command.startswith(_DELETION)
        ):
            terminals.add(row.sn)
        values: dict[str, object] = {"id": row.id, "body": nothing}
        values |= {"result": None, "file_id": None, "file_digest": None}
        values["body_removed_at"] = erasure.now
        if is_open:
            values |= {
                "state": CommandState.CANCELLED.value,
                "reason": EndReason.ERASED.value,
                "finished_at": erasure.now,
            }
        changed = sealed(tx.vault, commands, values)
        tx.connection.execute(update(commands).where(commands.c.id == row.id).values(changed))
    return terminals
