"""Schedule of commands: which are due, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update

from ..values.commands import QueuedCommand
from .commandrows import IS_OPEN, IS_QUEUED, IS_SENT, command_of, select_commands, stays_behind
from .commandschema import commands

if TYPE_CHECKING:
    from .transaction import Transaction

_DUE_AT = func.min(
    case((IS_QUEUED, func.coalesce(commands.c.not_before_at, 0)), else_=commands.c.lease_until)
)


class CommandSchedule:
    """Open commands by the time at which a poll has to handle them."""

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection

    def due(
        self, device_id: int, now: int, limit: int, once: Collection[str] = ()
    ) -> list[QueuedCommand]:
        """Return the commands to consider now, in sending order.

        These are queued commands that may be sent, and sent commands whose lease has expired. The
        caller decides whether to send each of them (`zkpush.device.life`). A command is held back
        while an earlier command of the same subject may be resent. The rows are locked until the
        commit; other processes skip them. `once` names the commands that are never resent.
        """
        may_be_sent = func.coalesce(commands.c.not_before_at, 0) <= now
        query = (
            select_commands()
            .where(
                commands.c.device_id == device_id,
                IS_OPEN,
                or_(and_(IS_QUEUED, may_be_sent), and_(IS_SENT, commands.c.lease_until <= now)),
                ~stays_behind(now, once),
            )
            .order_by(commands.c.rank, commands.c.seq)
            .limit(limit)
            .with_for_update(of=commands, skip_locked=True)
        )
        found = self._connection.execute(query)
        return [command_of(self._vault, row._mapping) for row in found]

    def next_due(self, device_id: int) -> int | None:
        """When (ms) a poll next has commands to handle: 0 for now, None for never."""
        query = select(_DUE_AT).where(commands.c.device_id == device_id, IS_OPEN)
        due = self._connection.execute(query).scalar_one()
        return None if due is None else int(due)

    def oldest_due(self, device_id: int, now: int) -> int | None:
        """When (ms) the oldest open command that may be sent by now was queued, or None."""
        query = select(func.min(commands.c.created_at)).where(
            commands.c.device_id == device_id,
            IS_OPEN,
            func.coalesce(commands.c.not_before_at, 0) <= now,
        )
        found: int | None = self._connection.execute(query).scalar_one()
        return found

    def all_due(self) -> dict[int, int]:
        """Map each terminal with open commands to its `next_due`."""
        query = select(commands.c.device_id, _DUE_AT).where(IS_OPEN).group_by(commands.c.device_id)
        return {device_id: int(due) for device_id, due in self._connection.execute(query)}

    def cut_leases(self, now: int, lease: int, longer: Mapping[str, int]) -> None:
        """Shorten leases that are longer than new ones would be; all times are in milliseconds.

        `longer` maps the names of commands to leases longer than `lease`.
        """
        is_long = commands.c.command.in_(longer)
        cuts: list[tuple[ColumnElement[bool], int]] = [(~is_long, lease)]
        cuts += [(commands.c.command == name, most) for name, most in longer.items()]
        for which, most in cuts:
            self._connection.execute(
                update(commands)
                .where(IS_OPEN, IS_SENT, commands.c.lease_until > now + most, which)
                .values(lease_until=now + most)
            )
