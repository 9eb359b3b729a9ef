"""The command queues in the store. Every change of state is a compare-and-set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    RowMapping,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from ..model import CommandFile, CommandState, NewCommand, Page, QueuedCommand
from ..protocol.commands import ID_LENGTH
from .damage import damaged_in
from .databases import insert
from .events import EventStore
from .schema import commands, devices, files
from .sealed import opened, sealed

if TYPE_CHECKING:
    from .transaction import Transaction

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


class CommandBody(msgspec.Struct, frozen=True):
    """What is sealed of a command."""

    params: dict[str, str]
    """As they are sent."""
    asked: dict[str, str]
    """As they were given."""
    text: str


class CommandStore:
    """The command queues of all terminals.

    Every change of state is a compare-and-set, and an event.
    """

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection
        self._events = tx[EventStore]

    def add(self, device_id: int, command: NewCommand, now: int) -> QueuedCommand:
        """Queue a command. Ids that were used before are refused with `ValueError`."""
        added = self._connection.execute(
            insert(self._connection, commands)
            .values(
                self._sealed(
                    command.id,
                    body=msgspec.json.encode(
                        CommandBody(dict(command.params), dict(command.asked), command.text)
                    ),
                    device_id=device_id,
                    command=command.command,
                    file_id=None if command.file is None else command.file.id,
                    file_digest=None if command.file is None else command.file.digest,
                    idempotency_key=command.idempotency_key,
                    state=CommandState.QUEUED.value,
                    attempts=0,
                    created_at=now,
                )
            )
            .on_conflict_do_nothing()
            .returning(commands.c.seq)
        ).one_or_none()
        queued = self.get(command.id)
        if added is None or queued is None:
            raise ValueError(f"the command id {command.id} was used before")
        self._tell(queued, CommandState.QUEUED, now)
        return queued

    def find(self, device_id: int, idempotency_key: str) -> QueuedCommand | None:
        """Find the command of a terminal that was queued with a key."""
        query = _select().where(
            commands.c.device_id == device_id, commands.c.idempotency_key == idempotency_key
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._command(row._mapping)

    def get(self, command_id: str) -> QueuedCommand | None:
        """Find a command by its CmdID."""
        row = self._connection.execute(_select().where(commands.c.id == command_id)).one_or_none()
        return None if row is None else self._command(row._mapping)

    def open_among(self, device_id: int, command_ids: Collection[str]) -> dict[str, QueuedCommand]:
        """Find the open commands of a terminal among some CmdIDs."""
        ids = [one for one in command_ids if len(one) <= ID_LENGTH and "\0" not in one]
        if not ids:
            return {}
        query = _select().where(commands.c.device_id == device_id, _IS_OPEN, commands.c.id.in_(ids))
        return {command.id: command for command in self._commands(query)}

    def page(self, part: Page, device: str) -> list[tuple[int, QueuedCommand]]:
        """List the commands of a terminal in the order they were queued, each with its cursor."""
        query = (
            _select()
            .where(devices.c.sn == device, commands.c.seq > part.after)
            .order_by(commands.c.seq)
            .limit(part.limit)
        )
        return [(row.seq, self._command(row._mapping)) for row in self._connection.execute(query)]

    def due(self, device_id: int, now: int, limit: int) -> list[QueuedCommand]:
        """The commands to send now: queued ones, and sent ones whose lease has run out.

        They are the caller's until the commit; another process gets those that are left. An
        answered one has a return code, and is to be ended, not sent again. A damaged one fails, and
        holds up no other.
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
        due = []
        for command in self._commands(query):
            if command.damaged:  # nobody knows what it says
                self.finish(command, CommandState.FAILED, None, None, now)
            else:
                due.append(command)
        return due

    def sent(self, device_id: int) -> list[QueuedCommand]:
        """The sound commands that a terminal has, or should have, and that are not ended."""
        query = _select().where(
            commands.c.device_id == device_id,
            _IS_OPEN,
            commands.c.state == CommandState.SENT.value,
        )
        found = self._commands(query.order_by(commands.c.seq))
        return [command for command in found if not command.damaged]

    def with_file(self, digest: bytes) -> QueuedCommand | None:
        """Find the open command whose file has a URL with the secret of that digest."""
        query = _select().where(commands.c.file_digest == digest, _IS_OPEN)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._command(row._mapping)

    def fetches(self, file_id: int) -> bool:
        """Whether an open command tells its terminal to fetch a file."""
        query = select(commands.c.seq).where(_IS_OPEN, commands.c.file_id == file_id).limit(1)
        return self._connection.execute(query).first() is not None

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
                    records=0,
                )
            )
        for command in leased:
            self._tell(command, CommandState.SENT, now)

    def cut_leases(self, most: int) -> None:
        """Let leases that run out after an instant (ms) run out then."""
        is_far = (commands.c.state == CommandState.SENT.value) & (commands.c.lease_until > most)
        self._connection.execute(update(commands).where(_IS_OPEN, is_far).values(lease_until=most))

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
        return self._expire(
            now,
            commands.c.device_id == device_id,
            commands.c.state == CommandState.SENT.value,
            commands.c.lease_until <= now,
            commands.c.attempts >= attempts,
            commands.c.return_code.is_(None),
        )

    def expire_old(self, before: int, now: int, limit: int) -> int:
        """End open commands of all terminals that were queued before an instant."""
        old = (
            select(commands.c.seq)
            .where(_IS_OPEN, commands.c.created_at < before)
            .order_by(commands.c.seq)
            .limit(limit)
        )
        return self._expire(now, _IS_OPEN, commands.c.seq.in_(old))

    def _expire(self, now: int, *which: ColumnElement[bool]) -> int:
        ended = self._connection.execute(
            update(commands)
            .where(*which)
            .values(state=CommandState.EXPIRED.value, finished_at=now)
            .returning(commands.c.id)
        )
        ids = list(ended.scalars())
        for command_id in ids:
            command = self.get(command_id)
            if command is not None:
                self._ended(command, CommandState.EXPIRED, now)
        return len(ids)

    def arrived(self, command: QueuedCommand, records: int) -> None:
        """Count records that a QUERY asked for."""
        self._connection.execute(
            update(commands)
            .where(commands.c.id == command.id, _IS_OPEN)
            .values(records=commands.c.records + records)
        )

    def answered(self, command: QueuedCommand, return_code: int, now: int) -> None:
        """Note the answer to a QUERY whose records may still come; it is due, to be ended."""
        self._connection.execute(
            update(commands)
            .where(commands.c.id == command.id, _IS_OPEN)
            .values(return_code=return_code, state=CommandState.SENT.value, lease_until=now)
        )

    def finish(
        self,
        command: QueuedCommand,
        state: CommandState,
        return_code: int | None,
        result: Mapping[str, str] | None,
        now: int,
    ) -> QueuedCommand | None:
        """End an open command, once, and return it as it is then; None if it was not open."""
        ended = self._connection.execute(
            update(commands)
            .where(commands.c.id == command.id, _IS_OPEN)
            .values(
                self._sealed(
                    command.id,
                    state=state.value,
                    return_code=return_code,
                    result=None if result is None else msgspec.json.encode(dict(result)),
                    finished_at=now,
                )
            )
        )
        if ended.rowcount != 1:
            return None
        self._ended(command, state, now)
        return msgspec.structs.replace(
            command,
            state=state,
            return_code=return_code,
            result=None if result is None else dict(result),
            finished_at=now,
        )

    def _ended(self, command: QueuedCommand, state: CommandState, now: int) -> None:
        """Remove the file that was made for a command, and tell that it has ended."""
        if command.file is not None:
            made_for_it = (files.c.id == command.file.id) & (files.c.command == command.id)
            self._connection.execute(delete(files).where(made_for_it))
        self._tell(command, state, now)

    def pending(self) -> dict[int, int]:
        """How many commands each terminal has open."""
        query = (
            select(commands.c.device_id, func.count())
            .where(_IS_OPEN)
            .group_by(commands.c.device_id)
        )
        return dict(self._connection.execute(query).all())

    def _commands(self, query: Any) -> list[QueuedCommand]:
        return [self._command(row._mapping) for row in self._connection.execute(query)]

    def _sealed(self, command_id: str, **values: object) -> dict[str, object]:
        return sealed(self._vault, commands, {"id": command_id, **values})

    def _command(self, row: RowMapping) -> QueuedCommand:
        values = opened(self._vault, commands, row)
        damaged = damaged_in(values)
        body = CommandBody({}, {}, "")
        if values["body"] is not None:
            body = msgspec.json.decode(values["body"], type=CommandBody)
        result = values["result"]
        return QueuedCommand(
            id=row["id"],
            device=row["sn"],
            command=row["command"],
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
            return_code=row["return_code"],
            result=None
            if result is None
            else msgspec.json.decode(str(result), type=dict[str, str]),
            damaged=tuple("params" if name == "body" else name for name in damaged),
        )

    def _tell(self, command: QueuedCommand, state: CommandState, now: int) -> None:
        """Every change of state is an event."""
        data = {
            "id": command.id,
            "device": command.device,
            "command": command.command,
            "state": state.value,
        }
        self._events.add("command", data, now)


def _select() -> Any:
    return select(commands, devices.c.sn).join(devices)
