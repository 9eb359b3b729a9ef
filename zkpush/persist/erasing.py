"""Erasure of one person: the part of each noun, and that of the command queue."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import msgspec
from sqlalchemy import select, update

from ..endings import EndReason
from ..model import OPEN_STATES, CommandState
from . import schema
from .commandrows import CommandBody
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


ErasePerson = Callable[[PersonErasure], int]
"""`erase_person` of a capability's `store` part: removes what its tables hold about a person, and
returns the number of rows that it changed. It runs before those of the capabilities it requires."""


def erase_commands(erasure: PersonErasure, subject: bytes) -> None:
    """Clear the parameters and results of commands on a person; cancel those still open.

    `subject` is the digest that all commands on the person have.
    """
    tx, commands = erasure.tx, schema.commands
    nothing = msgspec.json.encode(CommandBody({}, {}, ""))
    open_states = {state.value for state in OPEN_STATES}
    query = select(commands.c.id, commands.c.state).where(commands.c.subject == subject)
    for row in tx.connection.execute(query).all():
        values: dict[str, object] = {"id": row.id, "body": nothing}
        values |= {"result": None, "file_id": None, "file_digest": None}
        if row.state in open_states:
            values |= {
                "state": CommandState.CANCELLED.value,
                "reason": EndReason.ERASED.value,
                "finished_at": erasure.now,
            }
        changed = sealed(tx.vault, commands, values)
        tx.connection.execute(update(commands).where(commands.c.id == row.id).values(changed))
