"""The end of a terminal: the part of each noun, and that of the command queue."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from sqlalchemy import update

from ..model import Device
from ..values.commands import QueuedCommand
from .commandschema import commands
from .transaction import Transaction


@attrs.frozen(kw_only=True)
class TerminalEnding:
    """The end of a terminal, as passed to the parts of nouns that take part in it."""

    tx: Transaction
    device: Device
    """The terminal, which has records that stay."""
    successor: Device | None
    """The terminal that replaces it."""
    now: int
    """The time, in milliseconds since the epoch."""


EndTerminal = Callable[[TerminalEnding], None]
"""`end_terminal` of a capability's `store` part: ends what its tables say about the present of a
terminal, and lets its successor take its place. It runs before those of the capabilities it
requires."""


def move_command(tx: Transaction, command: QueuedCommand, device_id: int) -> None:
    """Move a queued command to another terminal; an idempotency key does not move."""
    tx.connection.execute(
        update(commands)
        .where(commands.c.id == command.id)
        .values(device_id=device_id, idempotency_key=None)
    )
