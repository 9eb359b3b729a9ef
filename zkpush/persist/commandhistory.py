"""Command statistics, and the removal of old commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, select, update

from ..values.commands import CommandState
from .commandrows import IS_OPEN
from .commandschema import commands
from .limits import of_terminals
from .sealed import sealed

if TYPE_CHECKING:
    from .transaction import Transaction

_NO_BODY = b'{"params":{},"asked":{},"text":""}'


class GivenUp(NamedTuple):
    """Commands of a terminal that ended without an answer."""

    number: int
    since_at: int
    """When the first of them ended, in milliseconds."""


class CommandHistory:
    """Counts of the commands of all terminals, and the removal of ended commands."""

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection

    def count_open(self, areas: frozenset[str] | None = None) -> dict[str, int]:
        """Count open commands by state; `areas` are those of a limited caller."""
        mine = of_terminals(commands.c.device_id, areas)
        query = (
            select(commands.c.state, func.count()).where(IS_OPEN, *mine).group_by(commands.c.state)
        )
        return {state: int(count) for state, count in self._connection.execute(query)}

    def count_ended(self, since: int) -> dict[str, int]:
        """Count the commands that ended since an instant (ms), by state."""
        ended = commands.c.finished_at >= since
        query = select(commands.c.state, func.count()).where(ended).group_by(commands.c.state)
        return {state: int(count) for state, count in self._connection.execute(query)}

    def given_up(self, since: int) -> dict[int, GivenUp]:
        """Return the commands that ended without an answer since an instant (ms), by terminal."""
        query = (
            select(commands.c.device_id, func.count(), func.min(commands.c.finished_at))
            .where(
                commands.c.finished_at >= since,
                commands.c.state.in_([CommandState.EXPIRED.value, CommandState.UNKNOWN.value]),
                commands.c.answered_at.is_(None),
            )
            .group_by(commands.c.device_id)
        )
        rows = self._connection.execute(query)
        return {key: GivenUp(int(number), int(at)) for key, number, at in rows}

    def pending(self) -> dict[int, int]:
        """Count the open commands of each terminal."""
        query = (
            select(commands.c.device_id, func.count()).where(IS_OPEN).group_by(commands.c.device_id)
        )
        return dict(self._connection.execute(query).all())

    def remove_ended(self, before: int, limit: int) -> int:
        """Remove up to `limit` commands that ended before an instant (ms); return their number."""
        old = (
            select(commands.c.seq)
            .where(commands.c.finished_at < before)
            .order_by(commands.c.finished_at)
            .limit(limit)
        )
        return self._connection.execute(delete(commands).where(commands.c.seq.in_(old))).rowcount

    def remove_bodies(self, before: int, limit: int, now: int) -> int:
        """Remove the parameters and results of commands that ended before an instant (ms).

        Changes up to `limit` commands and returns their number. The command's name, its terminal
        and its outcome stay.
        """
        old = (
            select(commands.c.id)
            .where(commands.c.finished_at < before, commands.c.body_removed_at.is_(None))
            .order_by(commands.c.finished_at)
            .limit(limit)
        )
        ids = list(self._connection.execute(old).scalars())
        nothing = {"body": _NO_BODY, "result": None, "body_removed_at": now}
        for command_id in ids:
            self._connection.execute(
                update(commands)
                .where(commands.c.id == command_id)
                .values(sealed(self._vault, commands, {"id": command_id, **nothing}))
            )
        return len(ids)
