"""The command queues in the store. Every change of state is a compare-and-set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from ..endings import EndReason
from ..model import OPEN_STATES, CommandState, NewCommand, QueuedCommand
from ..protocol.commands import ID_LENGTH
from .commandrows import (
    IS_OPEN,
    IS_QUEUED,
    IS_SENT,
    CommandBody,
    command_of,
    overdue_rows,
    reason_words,
    select_commands,
    stays_behind,
)
from .databases import insert
from .events import EventStore
from .schema import commands, files
from .sealed import sealed

if TYPE_CHECKING:
    from .transaction import Transaction

_DUE_AT = func.min(
    case((IS_QUEUED, func.coalesce(commands.c.not_before_at, 0)), else_=commands.c.lease_until)
)


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
                    family=command.family,
                    file_id=None if command.file is None else command.file.id,
                    file_digest=None if command.file is None else command.file.digest,
                    idempotency_key=command.idempotency_key,
                    state=CommandState.QUEUED.value,
                    attempts=0,
                    created_at=now,
                    rank=-command.priority,
                    not_before_at=command.not_before_at,
                    expires_at=command.expires_at,
                    subject=command.subject,
                )
            )
            .on_conflict_do_nothing()
            .returning(commands.c.seq)
        ).one_or_none()
        queued = self.get(command.id)
        if added is None or queued is None:
            raise ValueError(f"the command id {command.id} was used before")
        self._tell(queued, now)
        return queued

    def find(self, device_id: int, idempotency_key: str) -> QueuedCommand | None:
        """Find the command of a terminal that was queued with a key."""
        query = select_commands().where(
            commands.c.device_id == device_id, commands.c.idempotency_key == idempotency_key
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else command_of(self._vault, row._mapping)

    def get(self, command_id: str) -> QueuedCommand | None:
        """Find a command by its CmdID."""
        row = self._connection.execute(
            select_commands().where(commands.c.id == command_id)
        ).one_or_none()
        return None if row is None else command_of(self._vault, row._mapping)

    def known_among(self, device_id: int, command_ids: Collection[str]) -> dict[str, QueuedCommand]:
        """Find the commands of a terminal among some CmdIDs, whatever their state is.

        No other process changes them before the commit.
        """
        ids = [one for one in command_ids if len(one) <= ID_LENGTH and "\0" not in one]
        if not ids:
            return {}
        query = (
            select_commands()
            .where(commands.c.id.in_(ids), commands.c.device_id == device_id)
            .order_by(commands.c.seq)
            .with_for_update(of=commands)
        )
        return {command.id: command for command in self._commands(query)}

    def due(
        self, device_id: int, now: int, limit: int, once: Collection[str] = ()
    ) -> list[QueuedCommand]:
        """The commands to look at now, in the order in which they are sent.

        They are queued ones that may be sent already, and sent ones whose lease has run out:
        whether each is sent is the caller's decision (`zkpush.device.life`). One stays behind while
        an earlier one of its subject may be sent again. They are the caller's until the commit;
        another process gets those that are left. `once` names the commands that are not repeated.
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
        return self._commands(query)

    def is_overdue(self, now: int, lifetime: int, attempts: int, once: Collection[str]) -> bool:
        """Whether there are commands to end without waiting for a poll; see `overdue`."""
        which = overdue_rows(now, lifetime, attempts, once)
        return (
            self._connection.execute(select(commands.c.seq).where(which).limit(1)).first()
            is not None
        )

    def overdue(
        self, now: int, lifetime: int, attempts: int, once: Collection[str], limit: int
    ) -> list[QueuedCommand]:
        """The open commands of all terminals that are to be ended without waiting for a poll.

        `lifetime` (ms) counts for those without a deadline, `attempts` is how often commands are
        sent, and `once` names those that are not repeated. They are the caller's, as those of
        `due`.
        """
        query = (
            select_commands()
            .where(overdue_rows(now, lifetime, attempts, once))
            .order_by(commands.c.seq)
            .limit(limit)
            .with_for_update(of=commands, skip_locked=True)
        )
        return self._commands(query)

    def of_subject(self, device_id: int, subject: bytes) -> list[QueuedCommand]:
        """The open commands of a terminal that change the same, the last one first."""
        query = (
            select_commands()
            .where(commands.c.device_id == device_id, IS_OPEN, commands.c.subject == subject)
            .order_by(commands.c.seq.desc())
            .with_for_update(of=commands)
        )
        return self._commands(query)

    def overtaken(self, device_id: int, resent: Sequence[QueuedCommand]) -> set[str]:
        """Which commands, sent and not answered, are followed by one that the terminal executed.

        That one is of the same subject, and was sent with them or after them. Returns their IDs.
        """
        ids = [one.id for one in resent if one.state is CommandState.SENT]
        if not ids:
            return set()
        later = commands.alias("later")
        query = select(commands.c.id).where(
            commands.c.id.in_(ids),
            later.c.device_id == device_id,
            later.c.seq > commands.c.seq,
            later.c.subject == commands.c.subject,
            later.c.sent_at >= commands.c.sent_at,
            later.c.answered_at.is_not(None),
            later.c.state != CommandState.FAILED.value,
        )
        return set(self._connection.execute(query.distinct()).scalars())

    def urge(self, urged: Sequence[QueuedCommand], priority: int) -> None:
        """Raise queued commands to a priority, so that none is overtaken by one of the same."""
        low = [one.id for one in urged if one.priority < priority]
        if low:
            self._connection.execute(
                update(commands).where(commands.c.id.in_(low), IS_OPEN).values(rank=-priority)
            )

    def supersede(self, command: QueuedCommand, by: str) -> None:
        """Note that a sent command is not to be sent again, because of a later one."""
        self._connection.execute(
            update(commands).where(commands.c.id == command.id, IS_OPEN).values(replaced_by=by)
        )

    def sent(self, device_id: int) -> list[QueuedCommand]:
        """The sound commands that a terminal has, or should have, and that are not ended."""
        query = select_commands().where(commands.c.device_id == device_id, IS_OPEN, IS_SENT)
        found = self._commands(query.order_by(commands.c.seq))
        return [command for command in found if not command.damaged]

    def of_other_families(self, device_id: int, family: str) -> list[QueuedCommand]:
        """The open commands of a terminal that are not of this family."""
        query = (
            select_commands()
            .where(commands.c.device_id == device_id, IS_OPEN, commands.c.family != family)
            .order_by(commands.c.seq)
            .with_for_update(of=commands)
        )
        return self._commands(query)

    def with_file(self, digest: bytes) -> QueuedCommand | None:
        """Find the open command whose file has a URL with the secret of that digest."""
        query = select_commands().where(commands.c.file_digest == digest, IS_OPEN)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else command_of(self._vault, row._mapping)

    def fetches(self, file_id: int) -> bool:
        """Whether an open command tells its terminal to fetch a file."""
        query = select(commands.c.seq).where(IS_OPEN, commands.c.file_id == file_id).limit(1)
        return self._connection.execute(query).first() is not None

    def lease(self, leased: Sequence[QueuedCommand], until: int, now: int) -> None:
        """Mark due commands as sent, until a lease runs out; counts an attempt for each."""
        if leased:
            self._connection.execute(
                update(commands)
                .where(commands.c.id.in_([command.id for command in leased]), IS_OPEN)
                .values(
                    state=CommandState.SENT.value,
                    attempts=commands.c.attempts + 1,
                    lease_until=until,
                    sent_at=now,
                    records=0,
                )
            )
        for command in leased:
            self._tell(msgspec.structs.replace(command, state=CommandState.SENT), now)

    def cut_leases(self, now: int, lease: int, longer: Mapping[str, int]) -> None:
        """Let no lease run for longer than one that is made now; all times are in milliseconds.

        `longer` has the leases of the commands that take longer than `lease`, by their names.
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

    def next_due(self, device_id: int) -> int | None:
        """When (ms) there is something to do at a poll: 0 for now, None for never."""
        query = select(_DUE_AT).where(commands.c.device_id == device_id, IS_OPEN)
        due = self._connection.execute(query).scalar_one()
        return None if due is None else int(due)

    def oldest_due(self, device_id: int, now: int) -> int | None:
        """When (ms) the oldest open command of a terminal was queued that may be sent by now."""
        query = select(func.min(commands.c.created_at)).where(
            commands.c.device_id == device_id,
            IS_OPEN,
            func.coalesce(commands.c.not_before_at, 0) <= now,
        )
        found: int | None = self._connection.execute(query).scalar_one()
        return found

    def all_due(self) -> dict[int, int]:
        """`next_due` of every terminal that has open commands."""
        query = select(commands.c.device_id, _DUE_AT).where(IS_OPEN).group_by(commands.c.device_id)
        return {device_id: int(due) for device_id, due in self._connection.execute(query)}

    def arrived(self, command: QueuedCommand, records: int) -> None:
        """Count records that a QUERY asked for."""
        self._connection.execute(
            update(commands)
            .where(commands.c.id == command.id, IS_OPEN)
            .values(records=commands.c.records + records)
        )

    def answered(self, command: QueuedCommand, return_code: int | None, now: int) -> None:
        """Note the answer to a QUERY whose records may still come; it is due, to be ended."""
        self._connection.execute(
            update(commands)
            .where(commands.c.id == command.id, IS_OPEN)
            .values(
                return_code=return_code,
                answered_at=now,
                state=CommandState.SENT.value,
                lease_until=now,
            )
        )

    def end(
        self,
        command: QueuedCommand,
        state: CommandState,
        reason: EndReason,
        now: int,
        *,
        replaced_by: str | None = None,
    ) -> QueuedCommand | None:
        """End a command without an answer, and return it as it is then.

        None if its state is no longer the one that the caller saw: nothing changes then.
        """
        by = command.replaced_by if replaced_by is None else replaced_by
        return self._change(
            command, now, state=state, reason=reason.value, replaced_by=by, finished_at=now
        )

    def answer(
        self,
        command: QueuedCommand,
        state: CommandState,
        reason: EndReason | None,
        return_code: int | None,
        result: Mapping[str, str] | None,
        now: int,
    ) -> QueuedCommand | None:
        """Record the answer of the terminal, and return the command as it is then.

        Without a reason it had ended before, and stays so. None if its state is no longer the one
        that the caller saw: nothing changes then.
        """
        changes: dict[str, Any] = {
            "state": state,
            "return_code": return_code,
            "result": None if result is None else dict(result),
            "answered_at": now if command.answered_at is None else command.answered_at,
        }
        if reason is not None:
            changes |= {"reason": reason.value, "finished_at": now}
        return self._change(command, now, **changes)

    def _change(self, command: QueuedCommand, now: int, **changes: Any) -> QueuedCommand | None:
        """Change a command that is as the caller saw it, and tell it."""
        written = changes | {"state": changes["state"].value}
        if changes.get("result") is not None:
            written["result"] = msgspec.json.encode(changes["result"])
        changed = self._connection.execute(
            update(commands)
            .where(commands.c.id == command.id, commands.c.state == command.state.value)
            .values(self._sealed(command.id, **written))
        )
        if changed.rowcount != 1:
            return None
        after = msgspec.structs.replace(command, **changes)
        if command.state in OPEN_STATES and command.file is not None:
            made_for_it = (files.c.id == command.file.id) & (files.c.command == command.id)
            self._connection.execute(delete(files).where(made_for_it))
        self._tell(after, now)
        return after

    def _commands(self, query: Any) -> list[QueuedCommand]:
        return [command_of(self._vault, row._mapping) for row in self._connection.execute(query)]

    def _sealed(self, command_id: str, **values: object) -> dict[str, object]:
        return sealed(self._vault, commands, {"id": command_id, **values})

    def _tell(self, command: QueuedCommand, now: int) -> None:
        """Every change of state is an event, and so is an answer that comes after the end."""
        data = {
            "id": command.id,
            "device": command.device,
            "command": command.command,
            "state": command.state.value,
        }
        reason = reason_words(command)
        self._events.add("command", data if reason is None else {**data, "reason": reason}, now)
