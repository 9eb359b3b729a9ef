"""Commands in the store, as lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, func, select

from ...model import Page
from ...persist.commandrows import command_of, select_commands
from ...persist.commandschema import commands
from ...persist.paging import key_of, part_of
from ...values.commands import QueuedCommand
from .model import EVERY_COMMAND, CommandFilter

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

FEW = 5_000
"""Most commands sorted to find a page."""


class CommandList:
    """Lists of commands for the API; the queue itself is `persist.commands`."""

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection

    def page(
        self, part: Page, wanted: CommandFilter = EVERY_COMMAND
    ) -> list[tuple[int, QueuedCommand]]:
        """List commands in queueing order, each with its cursor.

        One filter is looked up in its index: the job, else the terminal, else the state or the
        name. The databases cannot estimate which is best, so the others are kept out of indexes.
        """
        query: Any = select_commands()
        place: ColumnElement[int] = commands.c.seq
        filters: list[ColumnElement[bool]] = []
        if wanted.job is not None:
            filters.append(commands.c.job == wanted.job)
        if wanted.device is not None:
            key: ColumnElement[int] = commands.c.device_id
            filters.append((key + 0 if filters else key) == key_of(wanted.device))
        if wanted.state is not None:
            state: ColumnElement[str] = commands.c.state
            value = wanted.state.value
            filters.append((state + "" if filters else state) == value)
        if wanted.command is not None:
            name: ColumnElement[str] = commands.c.command
            filters.append((name + "" if filters else name) == wanted.command)
        if wanted.since is not None:
            is_since = commands.c.created_at >= wanted.since
            if not filters and self._are_few(is_since):
                place = place + 0  # sorts the few that the index on the time finds
            filters.append(is_since if not filters else commands.c.created_at + 0 >= wanted.since)
        query = part_of(query.where(*filters), place, part, commands.c.device_id)
        return [
            (row.seq, command_of(self._vault, row._mapping))
            for row in self._connection.execute(query)
        ]

    def _are_few(self, which: ColumnElement[bool]) -> bool:
        found = select(commands.c.created_at).where(which).limit(FEW + 1).subquery()
        count = self._connection.execute(select(func.count()).select_from(found)).scalar_one()
        return int(count) <= FEW
