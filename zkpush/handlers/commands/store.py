"""Command lists in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model import Page, QueuedCommand
from ...persist.commandrows import command_of, select_commands
from ...persist.paging import key_of, part_of
from ...persist.schema import commands

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


class CommandList:
    """Lists of commands for the API; the queue itself is `persist.commands`."""

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection

    def page(self, part: Page, device: str) -> list[tuple[int, QueuedCommand]]:
        """List the commands of a terminal in queueing order, each with its cursor."""
        query = select_commands().where(commands.c.device_id == key_of(device))
        query = part_of(query, commands.c.seq, part)
        return [
            (row.seq, command_of(self._vault, row._mapping))
            for row in self._connection.execute(query)
        ]
