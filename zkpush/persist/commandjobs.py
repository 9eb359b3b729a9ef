"""Commands of jobs: many inserted together, and queries by job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, false, func, insert, or_, select, update

from ..endings import EndReason
from ..values.commands import CommandState, NewCommand, QueuedCommand
from .commandrows import (
    IS_OPEN,
    CommandBody,
    area_of,
    command_of,
    select_commands,
    subject_index,
)
from .commandschema import commands
from .events import EventStore
from .sealed import seal_columns
from .vault import Vault

if TYPE_CHECKING:
    from .transaction import Transaction

_FAILURES = (CommandState.FAILED.value, CommandState.UNKNOWN.value)
_TERMINAL = "terminal"
"""Parameter with the key of the terminal, for the area of a command."""


@attrs.frozen
class SealedCommands:
    """New commands as the store writes them, encrypted."""

    rows: Sequence[dict[str, object]]
    serials: Sequence[str]
    """Serial numbers of the terminals."""

    def of(self, terminals: Collection[int]) -> SealedCommands:
        """Return the commands of some terminals, given by their keys."""
        kept = [
            (row, sn)
            for row, sn in zip(self.rows, self.serials, strict=True)
            if row["device_id"] in terminals
        ]
        return SealedCommands([row for row, _ in kept], [sn for _, sn in kept])


def encode_body(params: Mapping[str, str], text: str) -> bytes:
    """Encode the body of a command whose parameters are sent as the caller gave them."""
    return msgspec.json.encode(CommandBody(dict(params), dict(params), text))


def seal_commands(
    vault: Vault, new: Iterable[tuple[int, str, NewCommand, bytes]], now: int
) -> SealedCommands:
    """Encrypt new commands, on any thread.

    Each is the key and the serial number of its terminal, the command, and its encoded body.
    """
    rows: list[dict[str, object]] = []
    serials, bodies = [], []
    for device_id, sn, command, body in new:
        serials.append(sn)
        bodies.append(body)
        job, place = command.job or (None, None)
        rows.append(
            {
                "id": command.id,
                "device_id": device_id,
                _TERMINAL: device_id,
                "command": command.command,
                "family": command.family,
                "state": CommandState.QUEUED.value,
                "attempts": 0,
                "created_at": now,
                "rank": -command.priority,
                "not_before_at": command.not_before_at,
                "expires_at": command.expires_at,
                "subject": subject_index(vault, command.subject),
                "job": job,
                "job_place": place,
            }
        )
    if rows:
        ids = [row["id"] for row in rows]
        _, encrypted = seal_columns(vault, commands, ("id", "body"), (ids, bodies))
        for row, sealed in zip(rows, encrypted, strict=True):
            row["body"] = sealed
    return SealedCommands(rows, serials)


class JobCommands:
    """The commands of jobs."""

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection
        self._events = tx[EventStore]

    def add(self, new: SealedCommands, now: int) -> None:
        """Queue new commands, each with its event."""
        if new.rows:
            statement = insert(commands).values(area=area_of(bindparam(_TERMINAL)))
            self._connection.execute(statement, [*new.rows])
        for row, sn in zip(new.rows, new.serials, strict=True):
            data = {
                "id": row["id"],
                "device": sn,
                "command": row["command"],
                "state": CommandState.QUEUED.value,
            }
            self._events.add("command", data, now)

    def counts(self, job: str) -> dict[str, int]:
        """Count the commands of a job by state, without those that were queued again."""
        query = (
            select(commands.c.state, func.count())
            .where(commands.c.job == job, commands.c.repeated == 0)
            .group_by(commands.c.state)
        )
        return {state: int(count) for state, count in self._connection.execute(query)}

    def ended_at(self, job: str) -> int | None:
        """Return when the last command of a job ended; None if none has."""
        query = select(func.max(commands.c.finished_at)).where(
            commands.c.job == job, commands.c.repeated == 0
        )
        found = self._connection.execute(query).scalar_one()
        return None if found is None else int(found)

    def opened(self, job: str, limit: int) -> list[QueuedCommand]:
        """Return open commands of a job, locked until the commit."""
        query = (
            select_commands()
            .where(commands.c.job == job, commands.c.repeated == 0, IS_OPEN)
            .limit(limit)
            .with_for_update(of=commands)
        )
        return self._commands(query)

    def terminals_at_work(self, job: str) -> int:
        """Count the terminals with open commands of a job."""
        query = select(func.count(commands.c.device_id.distinct())).where(
            commands.c.job == job, commands.c.repeated == 0, IS_OPEN
        )
        return int(self._connection.execute(query).scalar_one())

    def failures(self, job: str, without: Collection[int] = ()) -> int:
        """Count the commands of a job that failed or may have, except on some terminals."""
        query = select(commands.c.device_id).where(_of_job(job), is_failure())
        return sum(key not in without for key in self._connection.execute(query).scalars())

    def failed(self, job: str, limit: int) -> list[QueuedCommand]:
        """Return commands of a job that did not succeed, except cancelled ones."""
        states = [*_FAILURES, CommandState.EXPIRED.value]
        query = (
            select_commands()
            .where(_of_job(job), commands.c.state.in_(states))
            .order_by(commands.c.seq)
            .limit(limit)
        )
        return self._commands(query)

    def last(self) -> int:
        """Return the number of the newest command; 0 if there is none."""
        return int(self._connection.execute(select(func.max(commands.c.seq))).scalar_one() or 0)

    def terminals_missed(self, job: str) -> set[int]:
        """Return the terminals with commands of a job that they did not fetch in time."""
        query = select(commands.c.device_id).where(_of_job(job), _is_missed()).distinct()
        return set(self._connection.execute(query).scalars())

    def terminals_to_retry(self, job: str, states: Collection[str]) -> set[int]:
        """Return the terminals with commands of a job that ended in one of these states."""
        query = select(commands.c.device_id).where(
            _may_be_repeated(job), commands.c.state.in_([*states])
        )
        return set(self._connection.execute(query.distinct()).scalars())

    def to_retry(
        self,
        job: str,
        device_id: int,
        states: Collection[str],
        below: int,
        limit: int,
        *,
        with_missed: bool = False,
    ) -> list[QueuedCommand]:
        """Return commands of a job to queue again for a terminal, in their order.

        Commands whose change a later command has made since are left out. `states` are those of
        commands up to the number `below`; `with_missed` adds all that were not fetched in time.
        """
        later = commands.alias("later")
        is_obsolete = (
            select(later.c.seq)
            .where(
                later.c.device_id == device_id,
                later.c.seq > commands.c.seq,
                later.c.subject == commands.c.subject,
                or_(
                    later.c.state == CommandState.DONE.value,
                    and_(_is_open(later), later.c.command == commands.c.command),
                ),
            )
            .exists()
        )
        query = (
            select_commands()
            .where(
                _may_be_repeated(job),
                or_(
                    and_(commands.c.state.in_([*states]), commands.c.seq <= below),
                    _is_missed() if with_missed else false(),
                ),
                commands.c.device_id == device_id,
                ~is_obsolete,
            )
            .order_by(commands.c.seq)
            .limit(limit)
        )
        return [one for one in self._commands(query) if not one.damaged]

    def repeat(self, ids: Collection[str]) -> int:
        """Mark commands as queued again; returns how many were not marked before."""
        if not ids:
            return 0
        query = update(commands).where(commands.c.id.in_(ids), commands.c.repeated == 0)
        return self._connection.execute(query.values(repeated=1)).rowcount

    def _commands(self, query: Any) -> list[QueuedCommand]:
        return [command_of(self._vault, row._mapping) for row in self._connection.execute(query)]


def _is_open(alias: Any) -> ColumnElement[bool]:
    result: ColumnElement[bool] = alias.c.state.in_(
        [CommandState.QUEUED.value, CommandState.SENT.value]
    )
    return result


def is_failure() -> ColumnElement[bool]:
    """Condition for commands that failed, or were sent and never answered."""
    is_lost = and_(commands.c.state == CommandState.EXPIRED.value, commands.c.attempts > 0)
    return or_(commands.c.state.in_(_FAILURES), is_lost)


def _of_job(job: str) -> ColumnElement[bool]:
    return and_(commands.c.job == job, commands.c.repeated == 0)


def _is_missed() -> ColumnElement[bool]:
    return and_(
        commands.c.state == CommandState.EXPIRED.value,
        commands.c.reason == EndReason.NOT_FETCHED.value,
    )


def _may_be_repeated(job: str) -> ColumnElement[bool]:
    return and_(
        _of_job(job), commands.c.replaced_by.is_(None), commands.c.body_removed_at.is_(None)
    )
