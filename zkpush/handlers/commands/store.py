"""Commands in the store, as lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, case, func, or_, select

from ...model import Page
from ...persist.commandrows import IS_OPEN, IS_QUEUED, IS_SENT, command_of, select_commands
from ...persist.commandschema import commands
from ...persist.paging import key_of, part_of
from ...values.commands import QueuedCommand
from .model import EVERY_COMMAND, STUCK, WAITS, CommandFilter, StuckQueue

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

FEW = 5_000
"""Most commands sorted to find a page."""
_DUE_SINCE = case(
    (commands.c.not_before_at > commands.c.created_at, commands.c.not_before_at),
    else_=commands.c.created_at,
)
"""When an open command could first be sent (ms)."""


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
        if wanted.is_open:
            filters.append(IS_OPEN)
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


class QueueProgress:
    """Whether terminals fetch and answer the commands of their queues."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def waiting(self, now: int) -> frozenset[int]:
        """Return the keys of terminals with a command that has been due for `STUCK`."""
        query = select(commands.c.device_id).where(IS_OPEN, now >= _DUE_SINCE + STUCK).distinct()
        return frozenset(self._connection.execute(query).scalars())

    def stuck(self, device_id: int, now: int) -> StuckQueue | None:
        """Return the stuck queue of a terminal; None if nothing is due or answers come."""
        # A command may take as long as its first lease.
        is_late = or_(IS_QUEUED, commands.c.lease_until <= now, commands.c.attempts > 1)
        return self._unanswered(device_id, now, STUCK, is_late)

    def unanswered(self, device_id: int, now: int) -> StuckQueue | None:
        """Return the queue of a terminal whose commands wait, which may become stuck; else None."""
        return self._unanswered(device_id, now, WAITS)

    def _unanswered(
        self, device_id: int, now: int, after: int, *which: ColumnElement[bool]
    ) -> StuckQueue | None:
        """Return the queue of a terminal if none of its commands was answered for a time (ms)."""
        own = commands.c.device_id == device_id
        due = (
            select(commands.c.command, commands.c.created_at, IS_SENT)
            .where(own, IS_OPEN, now >= _DUE_SINCE + after, *which)
            .order_by(case((IS_SENT, 0), else_=1), commands.c.seq)
            .limit(1)
        )
        first = self._connection.execute(due).one_or_none()
        if first is None or self._is_answered(own, now - after):
            return None
        command, queued_at, is_fetched = first
        return StuckQueue(command, queued_at, bool(is_fetched))

    def _is_answered(self, own: ColumnElement[bool], since: int) -> bool:
        """Whether a command, open or ended, was answered since an instant (ms)."""
        for which in (commands.c.finished_at >= since, IS_OPEN):
            query = select(commands.c.seq).where(own, which, commands.c.answered_at >= since)
            if self._connection.execute(query.limit(1)).one_or_none() is not None:
                return True
        return False
