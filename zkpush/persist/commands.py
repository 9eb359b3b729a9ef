"""Command queues in the store; every state change is a compare-and-set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    bindparam,
    delete,
    select,
    update,
)

from ..endings import EndReason
from ..protocol.commands import ID_LENGTH
from ..values.commands import OPEN_STATES, CommandState, NewCommand, QueuedCommand
from .commandrows import (
    IS_OPEN,
    IS_SENT,
    CommandBody,
    area_of,
    command_of,
    overdue_rows,
    reason_words,
    select_commands,
    subject_index,
)
from .commandschema import commands
from .databases import insert
from .events import EventStore
from .schema import files
from .sealed import sealed

if TYPE_CHECKING:
    from .transaction import Transaction


class CommandStore:
    """Command queues of all terminals.

    Every state change is a compare-and-set and adds an event.
    """

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection
        self._events = tx[EventStore]

    def add(self, device_id: int, command: NewCommand, now: int) -> QueuedCommand:
        """Queue a command; raises `ValueError` if its id was used before."""
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
                    subject=subject_index(self._vault, command.subject),
                    job=None if command.job is None else command.job[0],
                    job_place=None if command.job is None else command.job[1],
                )
                | {"area": area_of(bindparam("terminal", device_id), command.repeats)}
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
        """Find the command of a terminal by its idempotency key."""
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
        """Find the commands of a terminal by their CmdIDs, in any state.

        The rows are locked until the commit.
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

    def is_overdue(self, now: int, lifetime: int, attempts: int, once: Collection[str]) -> bool:
        """Whether `overdue` would return commands."""
        which = overdue_rows(now, lifetime, attempts, once)
        return (
            self._connection.execute(select(commands.c.seq).where(which).limit(1)).first()
            is not None
        )

    def overdue(
        self, now: int, lifetime: int, attempts: int, once: Collection[str], limit: int
    ) -> list[QueuedCommand]:
        """Return open commands of all terminals that must end without waiting for a poll.

        `lifetime` (ms) applies to commands without a deadline, `attempts` is the most times a
        command is sent, and `once` names the commands that are never resent. The rows are locked as
        by `due`.
        """
        query = (
            select_commands()
            .where(overdue_rows(now, lifetime, attempts, once))
            .order_by(commands.c.seq)
            .limit(limit)
            .with_for_update(of=commands, skip_locked=True)
        )
        return self._commands(query)

    def terminals_awaiting(self, subject: bytes, names: Collection[str]) -> set[int]:
        """Return the keys of terminals with open commands of these names on a subject."""
        query = select(commands.c.device_id).where(
            commands.c.subject == self._vault.index_of(subject),
            commands.c.command.in_(names),
            IS_OPEN,
        )
        return {*self._connection.execute(query).scalars()}

    def of_subjects(
        self, places: Collection[tuple[int, bytes]]
    ) -> dict[tuple[int, bytes], list[QueuedCommand]]:
        """Return open commands by terminal and subject, newest first.

        `places` are keys of terminals, each with a subject. The rows are locked until the commit.
        """
        found: dict[tuple[int, bytes], list[QueuedCommand]] = {place: [] for place in places}
        if not found:
            return found
        subjects = {self._vault.index_of(subject): subject for _, subject in found}
        query = (
            select_commands()
            .where(
                commands.c.device_id.in_({device_id for device_id, _ in found}),
                IS_OPEN,
                commands.c.subject.in_(subjects),
            )
            .order_by(commands.c.seq.desc())
            .with_for_update(of=commands)
        )
        for row in self._connection.execute(query):
            place = (row.device_id, subjects[bytes(row.subject)])
            if place in found:
                found[place].append(command_of(self._vault, row._mapping))
        return found

    def overtaken(self, device_id: int, resent: Sequence[QueuedCommand]) -> set[str]:
        """Return the ids of unanswered commands that a later, executed command has overtaken.

        The later command has the same subject, was sent no earlier, and did not fail.
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
        """Raise open commands to at least a priority, to preserve the order within a subject."""
        low = [one.id for one in urged if one.priority < priority]
        if low:
            self._connection.execute(
                update(commands).where(commands.c.id.in_(low), IS_OPEN).values(rank=-priority)
            )

    def supersede(self, command: QueuedCommand, by: str) -> None:
        """Record that a later command replaces a sent one, which is then not resent."""
        self._connection.execute(
            update(commands).where(commands.c.id == command.id, IS_OPEN).values(replaced_by=by)
        )

    def sent(self, device_id: int) -> list[QueuedCommand]:
        """Return the sent, open and undamaged commands of a terminal."""
        query = select_commands().where(commands.c.device_id == device_id, IS_OPEN, IS_SENT)
        found = self._commands(query.order_by(commands.c.seq))
        return [command for command in found if not command.damaged]

    def open(self, device_id: int) -> list[QueuedCommand]:
        """Return the open commands of a terminal, in the order they were queued; locked."""
        query = select_commands().where(commands.c.device_id == device_id, IS_OPEN)
        return self._commands(query.order_by(commands.c.seq).with_for_update(of=commands))

    def of_other_families(self, device_id: int, family: str) -> list[QueuedCommand]:
        """Return the open commands of a terminal that belong to other families."""
        query = (
            select_commands()
            .where(commands.c.device_id == device_id, IS_OPEN, commands.c.family != family)
            .order_by(commands.c.seq)
            .with_for_update(of=commands)
        )
        return self._commands(query)

    def with_file(self, digest: bytes) -> QueuedCommand | None:
        """Find the open command whose file URL has the secret with this digest."""
        query = select_commands().where(commands.c.file_digest == digest, IS_OPEN)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else command_of(self._vault, row._mapping)

    def fetches(self, file_id: int) -> bool:
        """Whether an open command makes its terminal fetch this file."""
        query = select(commands.c.seq).where(IS_OPEN, commands.c.file_id == file_id).limit(1)
        return self._connection.execute(query).first() is not None

    def lease(self, leased: Sequence[QueuedCommand], until: int, now: int) -> None:
        """Mark commands as sent, leased until `until`, and count an attempt for each."""
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

    def expect(self, counts: Mapping[str, int | None]) -> None:
        """Record the number of lines that sent commands announce, by ID; None for no number."""
        for command_id, count in counts.items():
            if count is not None:
                self._connection.execute(
                    update(commands).where(commands.c.id == command_id).values(records=count)
                )

    def arrived(self, command: QueuedCommand, records: int) -> None:
        """Add to the number of records received for a QUERY."""
        self._connection.execute(
            update(commands)
            .where(commands.c.id == command.id, IS_OPEN)
            .values(records=commands.c.records + records)
        )

    def answered(self, command: QueuedCommand, return_code: int | None, now: int) -> None:
        """Record the answer to a QUERY whose records may still arrive; makes the command due."""
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
        self, command: QueuedCommand, state: CommandState, reason: EndReason, now: int
    ) -> QueuedCommand | None:
        """End a command without an answer; return the changed command.

        Returns None, and changes nothing, if its state is no longer that of `command`.
        """
        return self._change(command, now, state=state, reason=reason.value, finished_at=now)

    def end_replaced(
        self,
        replaced: Sequence[tuple[QueuedCommand, str]],
        state: CommandState,
        reason: EndReason,
        now: int,
    ) -> None:
        """End commands from `of_subjects`, each replaced by a later one, given by its ID."""
        if not replaced:
            return
        self._connection.execute(
            update(commands)
            .where(commands.c.id == bindparam("old"))
            .values(
                state=state.value,
                reason=reason.value,
                finished_at=now,
                replaced_by=bindparam("later"),
            ),
            [{"old": old.id, "later": later} for old, later in replaced],
        )
        for old, later in replaced:
            self._remove_file(old)
            after = {"state": state, "reason": reason.value, "replaced_by": later}
            self._tell(msgspec.structs.replace(old, finished_at=now, **after), now)

    def answer(
        self,
        command: QueuedCommand,
        state: CommandState,
        reason: EndReason | None,
        return_code: int | None,
        result: Mapping[str, str] | None,
        now: int,
    ) -> QueuedCommand | None:
        """Record the answer of a terminal; return the changed command.

        Without a reason, the command has already ended and keeps its reason. Returns None, and
        changes nothing, if its state is no longer that of `command`.
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
        """Change a command whose state is unchanged since the caller read it, and add an event."""
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
        if command.state in OPEN_STATES:
            self._remove_file(command)
        self._tell(after, now)
        return after

    def _remove_file(self, command: QueuedCommand) -> None:
        """Remove the file that was made for a command."""
        if command.file is not None:
            made_for_it = (files.c.id == command.file.id) & (files.c.command == command.id)
            self._connection.execute(delete(files).where(made_for_it))

    def _commands(self, query: Any) -> list[QueuedCommand]:
        return [command_of(self._vault, row._mapping) for row in self._connection.execute(query)]

    def _sealed(self, command_id: str, **values: object) -> dict[str, object]:
        return sealed(self._vault, commands, {"id": command_id, **values})

    def _tell(self, command: QueuedCommand, now: int) -> None:
        """Add an event for a state change, or for an answer that arrived after the end."""
        data = {
            "id": command.id,
            "device": command.device,
            "command": command.command,
            "state": command.state.value,
        }
        reason = reason_words(command)
        self._events.add("command", data if reason is None else {**data, "reason": reason}, now)
