"""The command queues in the store. Every change of state is a compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, case, func, or_, select, update
from zope.interface import implementer

from ..interfaces import ICommands
from ..model import CommandState, Page, QueuedCommand
from .databases import insert
from .schema import commands, devices

_IS_OPEN = commands.c.state.in_(
    # Written into the statement: the index of the open commands serves no other one.
    bindparam(
        "open",
        (CommandState.QUEUED.value, CommandState.SENT.value),
        expanding=True,
        literal_execute=True,
    )
)
_DUE_AT = func.min(
    case((commands.c.state == CommandState.QUEUED.value, 0), else_=commands.c.lease_until)
)


@implementer(ICommands)
class Commands:
    """The command queues, on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, device_id: int, command_id: str, command: str, params: Mapping[str, str], now: int
    ) -> QueuedCommand:
        """Queue a command. Ids that were used before are refused with `ValueError`."""
        added = self._connection.execute(
            insert(self._connection, commands)
            .values(
                id=command_id,
                device_id=device_id,
                command=command,
                params=msgspec.json.encode(dict(params)).decode(),
                state=CommandState.QUEUED.value,
                attempts=0,
                created_at=now,
            )
            .on_conflict_do_nothing()
            .returning(commands.c.seq)
        ).one_or_none()
        queued = self.get(command_id)
        if added is None or queued is None:
            raise ValueError(f"the command id {command_id} was used before")
        return queued

    def get(self, command_id: str) -> QueuedCommand | None:
        """Find a command by its CmdID."""
        row = self._connection.execute(_select().where(commands.c.id == command_id)).one_or_none()
        return None if row is None else _command(row._mapping)

    def page(self, part: Page, device: str) -> list[tuple[int, QueuedCommand]]:
        """List the commands of a terminal in the order they were queued, each with its cursor."""
        query = (
            _select()
            .where(devices.c.sn == device, commands.c.seq > part.after)
            .order_by(commands.c.seq)
            .limit(part.limit)
        )
        return [(row.seq, _command(row._mapping)) for row in self._connection.execute(query)]

    def due(self, device_id: int, now: int, limit: int) -> list[QueuedCommand]:
        """The commands to send now: queued ones, and sent ones whose lease has run out.

        They are the caller's until the commit; another process gets those that are left.
        """
        query = (
            _select()
            .where(
                commands.c.device_id == device_id,
                _IS_OPEN,
                or_(commands.c.state == CommandState.QUEUED.value, commands.c.lease_until <= now),
            )
            .order_by(commands.c.seq)
            .limit(limit)
            .with_for_update(of=commands, skip_locked=True)
        )
        return [_command(row._mapping) for row in self._connection.execute(query)]

    def lease(self, leased: Sequence[QueuedCommand], until: int, now: int) -> None:
        """Mark due commands as sent, until a lease runs out; counts an attempt for each."""
        if leased:
            self._connection.execute(
                update(commands)
                .where(commands.c.id.in_([command.id for command in leased]), _IS_OPEN)
                .values(
                    state=CommandState.SENT.value,
                    attempts=commands.c.attempts + 1,
                    lease_until=until,
                    sent_at=now,
                )
            )

    def next_due(self, device_id: int) -> int | None:
        """When (ms) there is something to send to a terminal: 0 for now, None for never."""
        query = select(_DUE_AT).where(commands.c.device_id == device_id, _IS_OPEN)
        due = self._connection.execute(query).scalar_one()
        return None if due is None else int(due)

    def all_due(self) -> dict[int, int]:
        """`next_due` of every terminal that has open commands."""
        query = select(commands.c.device_id, _DUE_AT).where(_IS_OPEN).group_by(commands.c.device_id)
        return {device_id: int(due) for device_id, due in self._connection.execute(query)}

    def expire(self, device_id: int, now: int, attempts: int) -> int:
        """End the commands that were sent `attempts` times and whose last lease has run out."""
        ended = self._connection.execute(
            update(commands)
            .where(
                commands.c.device_id == device_id,
                commands.c.state == CommandState.SENT.value,
                commands.c.lease_until <= now,
                commands.c.attempts >= attempts,
            )
            .values(state=CommandState.EXPIRED.value, finished_at=now)
        )
        return int(ended.rowcount)

    def finish(
        self,
        device_id: int,
        command_id: str,
        state: CommandState,
        return_code: int | None,
        result: Mapping[str, str] | None,
        now: int,
    ) -> QueuedCommand | None:
        """End an open command of a terminal, once: None if it was not open, or not its own."""
        ended = self._connection.execute(
            update(commands)
            .where(commands.c.id == command_id, commands.c.device_id == device_id, _IS_OPEN)
            .values(
                state=state.value,
                return_code=return_code,
                result=None if result is None else msgspec.json.encode(dict(result)).decode(),
                finished_at=now,
            )
        )
        return self.get(command_id) if ended.rowcount == 1 else None

    def pending(self) -> dict[int, int]:
        """How many commands each terminal has open."""
        query = (
            select(commands.c.device_id, func.count())
            .where(_IS_OPEN)
            .group_by(commands.c.device_id)
        )
        return dict(self._connection.execute(query).all())


def _select() -> Any:
    return select(commands, devices.c.sn).join(devices)


def _command(row: RowMapping) -> QueuedCommand:
    result = row["result"]
    return QueuedCommand(
        id=row["id"],
        device=row["sn"],
        command=row["command"],
        params=msgspec.json.decode(row["params"], type=dict[str, str]),
        state=CommandState(row["state"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        sent_at=row["sent_at"],
        finished_at=row["finished_at"],
        return_code=row["return_code"],
        result=None if result is None else msgspec.json.decode(result, type=dict[str, str]),
    )
