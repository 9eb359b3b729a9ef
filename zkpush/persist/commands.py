"""The command queues in the store. Every change of state is a compare-and-set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    RowMapping,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from ..endings import EndReason, end_words
from ..model import OPEN_STATES, CommandFile, CommandState, NewCommand, Page, QueuedCommand
from ..protocol.commands import ID_LENGTH
from .damage import damaged_in
from .databases import insert
from .events import EventStore
from .paging import key_of, part_of
from .schema import commands, devices, files
from .sealed import opened, sealed

if TYPE_CHECKING:
    from .transaction import Transaction

_OPEN = tuple(sorted(state.value for state in OPEN_STATES))
# Written into the statement: the index of the open commands serves no other one.
_OPEN_STATES: BindParameter[Any] = bindparam("open", _OPEN, expanding=True, literal_execute=True)
_IS_OPEN = commands.c.state.in_(_OPEN_STATES)
_IS_QUEUED = commands.c.state == CommandState.QUEUED.value
_IS_SENT = commands.c.state == CommandState.SENT.value
_DUE_AT = func.min(
    case((_IS_QUEUED, func.coalesce(commands.c.not_before_at, 0)), else_=commands.c.lease_until)
)
_NO_BODY = b'{"params":{},"asked":{},"text":""}'


class CommandBody(msgspec.Struct, frozen=True):
    """What is sealed of a command."""

    params: dict[str, str]
    """As they are sent."""
    asked: dict[str, str]
    """As they were given."""
    text: str


class GivenUp(NamedTuple):
    """Commands of a terminal that ended without an answer."""

    number: int
    since_at: int
    """When (ms) the first of them ended."""


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
        query = _select().where(
            commands.c.device_id == device_id, commands.c.idempotency_key == idempotency_key
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._command(row._mapping)

    def get(self, command_id: str) -> QueuedCommand | None:
        """Find a command by its CmdID."""
        row = self._connection.execute(_select().where(commands.c.id == command_id)).one_or_none()
        return None if row is None else self._command(row._mapping)

    def known_among(self, device_id: int, command_ids: Collection[str]) -> dict[str, QueuedCommand]:
        """Find the commands of a terminal among some CmdIDs, whatever their state is.

        No other process changes them before the commit.
        """
        ids = [one for one in command_ids if len(one) <= ID_LENGTH and "\0" not in one]
        if not ids:
            return {}
        query = (
            _select()
            .where(commands.c.id.in_(ids), commands.c.device_id == device_id)
            .order_by(commands.c.seq)
            .with_for_update(of=commands)
        )
        return {command.id: command for command in self._commands(query)}

    def page(self, part: Page, device: str) -> list[tuple[int, QueuedCommand]]:
        """List the commands of a terminal in the order they were queued, each with its cursor."""
        query = _select().where(commands.c.device_id == key_of(device))
        query = part_of(query, commands.c.seq, part)
        return [(row.seq, self._command(row._mapping)) for row in self._connection.execute(query)]

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
            _select()
            .where(
                commands.c.device_id == device_id,
                _IS_OPEN,
                or_(and_(_IS_QUEUED, may_be_sent), and_(_IS_SENT, commands.c.lease_until <= now)),
                ~_stays_behind(now, once),
            )
            .order_by(commands.c.rank, commands.c.seq)
            .limit(limit)
            .with_for_update(of=commands, skip_locked=True)
        )
        return self._commands(query)

    def is_overdue(self, now: int, lifetime: int, attempts: int, once: Collection[str]) -> bool:
        """Whether there are commands to end without waiting for a poll; see `overdue`."""
        which = _overdue(now, lifetime, attempts, once)
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
            _select()
            .where(_overdue(now, lifetime, attempts, once))
            .order_by(commands.c.seq)
            .limit(limit)
            .with_for_update(of=commands, skip_locked=True)
        )
        return self._commands(query)

    def of_subject(self, device_id: int, subject: bytes) -> list[QueuedCommand]:
        """The open commands of a terminal that change the same, the last one first."""
        query = (
            _select()
            .where(commands.c.device_id == device_id, _IS_OPEN, commands.c.subject == subject)
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
                update(commands).where(commands.c.id.in_(low), _IS_OPEN).values(rank=-priority)
            )

    def supersede(self, command: QueuedCommand, by: str) -> None:
        """Note that a sent command is not to be sent again, because of a later one."""
        self._connection.execute(
            update(commands).where(commands.c.id == command.id, _IS_OPEN).values(replaced_by=by)
        )

    def sent(self, device_id: int) -> list[QueuedCommand]:
        """The sound commands that a terminal has, or should have, and that are not ended."""
        query = _select().where(commands.c.device_id == device_id, _IS_OPEN, _IS_SENT)
        found = self._commands(query.order_by(commands.c.seq))
        return [command for command in found if not command.damaged]

    def of_other_families(self, device_id: int, family: str) -> list[QueuedCommand]:
        """The open commands of a terminal that are not of this family."""
        query = (
            _select()
            .where(commands.c.device_id == device_id, _IS_OPEN, commands.c.family != family)
            .order_by(commands.c.seq)
            .with_for_update(of=commands)
        )
        return self._commands(query)

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
                .where(_IS_OPEN, _IS_SENT, commands.c.lease_until > now + most, which)
                .values(lease_until=now + most)
            )

    def next_due(self, device_id: int) -> int | None:
        """When (ms) there is something to do at a poll: 0 for now, None for never."""
        query = select(_DUE_AT).where(commands.c.device_id == device_id, _IS_OPEN)
        due = self._connection.execute(query).scalar_one()
        return None if due is None else int(due)

    def oldest_due(self, device_id: int, now: int) -> int | None:
        """When (ms) the oldest open command of a terminal was queued that may be sent by now."""
        query = select(func.min(commands.c.created_at)).where(
            commands.c.device_id == device_id,
            _IS_OPEN,
            func.coalesce(commands.c.not_before_at, 0) <= now,
        )
        found: int | None = self._connection.execute(query).scalar_one()
        return found

    def count_open(self) -> dict[str, int]:
        """How many commands are not ended, by state."""
        query = select(commands.c.state, func.count()).where(_IS_OPEN).group_by(commands.c.state)
        return {state: int(count) for state, count in self._connection.execute(query)}

    def count_ended(self, since: int) -> dict[str, int]:
        """How many commands have ended since an instant (ms), by state."""
        ended = commands.c.finished_at >= since
        query = select(commands.c.state, func.count()).where(ended).group_by(commands.c.state)
        return {state: int(count) for state, count in self._connection.execute(query)}

    def given_up(self, since: int) -> dict[int, GivenUp]:
        """By terminal: the commands that ended since an instant (ms) without an answer."""
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

    def all_due(self) -> dict[int, int]:
        """`next_due` of every terminal that has open commands."""
        query = select(commands.c.device_id, _DUE_AT).where(_IS_OPEN).group_by(commands.c.device_id)
        return {device_id: int(due) for device_id, due in self._connection.execute(query)}

    def arrived(self, command: QueuedCommand, records: int) -> None:
        """Count records that a QUERY asked for."""
        self._connection.execute(
            update(commands)
            .where(commands.c.id == command.id, _IS_OPEN)
            .values(records=commands.c.records + records)
        )

    def answered(self, command: QueuedCommand, return_code: int | None, now: int) -> None:
        """Note the answer to a QUERY whose records may still come; it is due, to be ended."""
        self._connection.execute(
            update(commands)
            .where(commands.c.id == command.id, _IS_OPEN)
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

    def remove_ended(self, before: int, limit: int) -> int:
        """Remove commands that ended before an instant (ms), at most `limit`; returns how many."""
        old = (
            select(commands.c.seq)
            .where(commands.c.finished_at < before)
            .order_by(commands.c.finished_at)
            .limit(limit)
        )
        return self._connection.execute(delete(commands).where(commands.c.seq.in_(old))).rowcount

    def remove_bodies(self, before: int, limit: int, now: int) -> int:
        """Remove parameters and results of commands that ended before an instant (ms).

        At most `limit`; returns how many. What stays is what was asked of whom, and its end.
        """
        old = (
            select(commands.c.id)
            .where(commands.c.finished_at < before, commands.c.body_removed_at.is_(None))
            .order_by(commands.c.finished_at)
            .limit(limit)
        )
        ids = list(self._connection.execute(old).scalars())
        for command_id in ids:
            self._connection.execute(
                update(commands)
                .where(commands.c.id == command_id)
                .values(self._sealed(command_id, body=_NO_BODY, result=None, body_removed_at=now))
            )
        return len(ids)

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
            family=row["family"],
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
            priority=-row["rank"],
            not_before_at=row["not_before_at"],
            expires_at=row["expires_at"],
            answered_at=row["answered_at"],
            reason=row["reason"],
            replaced_by=row["replaced_by"],
            body_removed_at=row["body_removed_at"],
            return_code=row["return_code"],
            result=None
            if result is None
            else msgspec.json.decode(str(result), type=dict[str, str]),
            damaged=tuple("params" if name == "body" else name for name in damaged),
        )

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


def reason_words(command: QueuedCommand) -> str | None:
    """Why a command ended, in words; None if it has not."""
    gave_up = command.state in (CommandState.CANCELLED, CommandState.EXPIRED)
    return end_words(
        command.reason,
        command.attempts,
        command.replaced_by,
        is_answered=gave_up and command.answered_at is not None,
    )


def _overdue(now: int, lifetime: int, attempts: int, once: Collection[str]) -> ColumnElement[bool]:
    is_late = func.coalesce(commands.c.expires_at, commands.c.created_at + lifetime) < now
    is_unanswered = or_(
        is_late,
        commands.c.attempts >= attempts,
        commands.c.command.in_(once),
        commands.c.replaced_by.is_not(None),
    )
    is_over = and_(_IS_SENT, commands.c.lease_until <= now, is_unanswered)
    return and_(_IS_OPEN, or_(and_(_IS_QUEUED, is_late), is_over))


def _stays_behind(now: int, once: Collection[str]) -> ColumnElement[bool]:
    """Whether an earlier command of the same subject is with the terminal, and may be sent again.

    Sent again after the later one, it would undo what that has changed.
    """
    earlier = commands.alias("earlier")
    return (
        select(earlier.c.seq)
        .where(
            earlier.c.device_id == commands.c.device_id,
            earlier.c.state.in_(_OPEN_STATES),
            earlier.c.subject == commands.c.subject,
            earlier.c.seq < commands.c.seq,
            earlier.c.state == CommandState.SENT.value,
            earlier.c.lease_until > now,
            earlier.c.replaced_by.is_(None),
            earlier.c.command.not_in(once),
        )
        .exists()
    )


def _select() -> Any:
    return select(commands, devices.c.sn).join(devices)
