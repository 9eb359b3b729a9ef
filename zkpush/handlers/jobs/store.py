"""Jobs in the store."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, select, update

from ...model import Page
from ...persist.commandschema import commands
from ...persist.erasing import PersonErasure, without_person
from ...persist.limits import terminals_in
from ...persist.paging import part_of
from ...persist.schema import devices
from ...persist.sealed import opened, sealed
from .model import Job, JobCommand, JobOptions, JobState, JobTarget, NewJob, TargetState
from .schema import job_targets, jobs

if TYPE_CHECKING:
    from ...persist.forgetting import Erasure
    from ...persist.transaction import Transaction
    from ...persist.vault import Vault

_UNFINISHED = (JobState.QUEUEING.value, JobState.CANCELLING.value)
_LEFT = (TargetState.WAITING.value, TargetState.NEXT.value)
REFUSALS = (TargetState.REFUSED.value, TargetState.MOVED.value)
"""States of terminals that do not get the rest of the commands."""
_GONE = and_(job_targets.c.state == TargetState.MOVED.value, job_targets.c.queued == 0)
"""Terminals that left the areas of the caller before they got a command."""
_TARGET = (
    job_targets.c.place,
    job_targets.c.device_id,
    job_targets.c.queued,
    job_targets.c.retrying,
)


class JobStore:
    """Jobs and their terminals."""

    def __init__(self, tx: Transaction) -> None:
        self._vault = tx.vault
        self._connection = tx.connection

    def add(self, job: NewJob, terminals: Sequence[int], now: int) -> Job:
        """Store a job for terminals, given by their keys."""
        values = {
            "id": job.id,
            "state": JobState.QUEUEING.value,
            "names": _text([*dict.fromkeys(one.command for one in job.commands)]),
            "number": len(job.commands),
            "terminals": len(terminals),
            "body": msgspec.json.encode(job.commands).decode(),
            "options": _text(job.options),
            "priority": job.priority,
            "created_at": now,
            "created_by": job.created_by,
            "idempotency_key": job.idempotency_key,
            "fingerprint": self._vault.index(job.request),
        }
        row = self._connection.execute(
            insert(jobs).values(sealed(self._vault, jobs, values)).returning(jobs)
        ).one()
        targets = [
            {
                "job_seq": row.seq,
                "place": place,
                "device_id": device_id,
                "state": TargetState.WAITING.value,
            }
            for place, device_id in enumerate(terminals)
        ]
        if targets:
            self._connection.execute(insert(job_targets), targets)
        return self._job(row)

    def find(
        self, created_by: str, idempotency_key: str, request: bytes
    ) -> tuple[Job, bool] | None:
        """Find a job by its idempotency key, and tell whether its request was the same."""
        query = select(jobs).where(
            jobs.c.created_by == created_by, jobs.c.idempotency_key == idempotency_key
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return self._job(row), bytes(row.fingerprint) == self._vault.index(request)

    def get(self, job_id: str, *, locked: bool = False) -> Job | None:
        """Find a job; with `locked`, its row is locked until the commit."""
        query = select(jobs).where(jobs.c.id == job_id)
        row = self._connection.execute(query.with_for_update() if locked else query).one_or_none()
        return None if row is None else self._job(row)

    def page(self, part: Page) -> list[Job]:
        """List jobs in the order of their creation."""
        query = select(jobs)
        if part.areas is not None:
            # All terminals of the job are of the areas.
            of_job = select(job_targets.c.place).where(job_targets.c.job_seq == jobs.c.seq, ~_GONE)
            mine = job_targets.c.device_id.in_(terminals_in(part.areas))
            query = query.where(of_job.where(mine).exists(), ~of_job.where(~mine).exists())
            part = msgspec.structs.replace(part, areas=None)
        found = self._connection.execute(part_of(query, jobs.c.seq, part))
        return [self._job(row) for row in found]

    def terminals_of(self, job: Job) -> list[str]:
        """Return the serial numbers of the terminals of a job.

        Terminals that left the areas of its caller before they got a command are left out.
        """
        query = (
            select(devices.c.sn)
            .join(job_targets, job_targets.c.device_id == devices.c.id)
            .where(_of(job), ~_GONE)
        )
        return list(self._connection.execute(query).scalars())

    def unfinished(self) -> list[Job]:
        """Return the jobs with work left, the most urgent first."""
        query = select(jobs).where(jobs.c.state.in_(_UNFINISHED))
        found = self._connection.execute(query.order_by(jobs.c.priority.desc(), jobs.c.seq))
        return [self._job(row) for row in found]

    def commands(self, job: Job) -> list[JobCommand] | None:
        """Return the commands of a job; None if they are removed or damaged."""
        row = self._connection.execute(select(jobs).where(jobs.c.seq == job.seq)).one()
        body = opened(self._vault, jobs, row._mapping)["body"]
        return None if body is None else msgspec.json.decode(body, type=list[JobCommand])

    def change(self, job: Job, state: JobState, now: int, reason: str | None = None) -> None:
        """Change the state of a job; the commands are removed with the last work."""
        values: dict[str, object] = {"state": state.value, "reason": reason}
        if state in (JobState.QUEUED, JobState.CANCELLED):
            values |= {"body": None, "ended_at": now}
        self._connection.execute(update(jobs).where(jobs.c.seq == job.seq).values(values))

    def retry(
        self,
        job: Job,
        states: Collection[str],
        below: int,
        terminals: Collection[int],
        areas: frozenset[str] | None,
    ) -> None:
        """Let a job queue again the commands that ended in these states on some terminals.

        `areas` are those of a limited caller; the job goes on in these only.
        """
        self.queue_again(job, terminals)
        options = msgspec.structs.replace(job.options, areas=areas)
        self._connection.execute(
            update(jobs)
            .where(jobs.c.seq == job.seq)
            .values(
                options=_text(options),
                state=JobState.QUEUEING.value,
                reason=None,
                ended_at=None,
                retry_states=_text(sorted(states)),
                retry_below=below,
            )
        )

    def queue_again(self, job: Job, terminals: Collection[int]) -> None:
        """Let terminals of a job wait until commands of theirs are queued again."""
        self._connection.execute(
            update(job_targets)
            .where(
                job_targets.c.job_seq == job.seq,
                job_targets.c.device_id.in_(terminals),
                job_targets.c.state == TargetState.QUEUED.value,
            )
            .values(state=TargetState.WAITING.value, retrying=1)
        )

    def forgive(self, job: Job, failures: int) -> None:
        """Let a job go on although this many commands have failed."""
        self._connection.execute(
            update(jobs).where(jobs.c.seq == job.seq).values(forgiven=failures)
        )

    def targets(self, job: Job, state: TargetState, limit: int) -> list[JobTarget]:
        """Return terminals of a job in a state, in order."""
        query = (
            select(*_TARGET)
            .where(_of(job), job_targets.c.state == state.value)
            .order_by(job_targets.c.place)
            .limit(limit)
        )
        return [
            JobTarget(row.place, row.device_id, state, row.queued, bool(row.retrying))
            for row in self._connection.execute(query)
        ]

    def zones(self, job: Job) -> list[tuple[int, str | None]]:
        """Return the waiting terminals of a job in order, each place with the zone."""
        query = (
            select(job_targets.c.place, devices.c.timezone)
            .join(devices, devices.c.id == job_targets.c.device_id)
            .where(_of(job), job_targets.c.state == TargetState.WAITING.value)
            .order_by(job_targets.c.place)
        )
        return [(int(place), zone) for place, zone in self._connection.execute(query)]

    def retrying(self, job: Job) -> set[int]:
        """Return the terminals of a job whose commands are still to be queued again."""
        query = select(job_targets.c.device_id).where(
            _of(job), job_targets.c.state.in_(_LEFT), job_targets.c.retrying == 1
        )
        return set(self._connection.execute(query).scalars())

    def choose(self, job: Job, places: Collection[int]) -> None:
        """Make terminals the next wave of a job."""
        self._connection.execute(
            update(job_targets)
            .where(
                _of(job),
                job_targets.c.place.in_(places),
                job_targets.c.state == TargetState.WAITING.value,
            )
            .values(state=TargetState.NEXT.value)
        )

    def advance(
        self,
        job: Job,
        target: JobTarget,
        queued: int,
        state: TargetState,
        reason: str | None = None,
        *,
        is_retry: bool = False,
    ) -> bool:
        """Change a terminal of a job; False if it was changed since it was read."""
        changed = self._connection.execute(
            update(job_targets)
            .where(
                _of(job),
                job_targets.c.place == target.place,
                job_targets.c.state == target.state.value,
                job_targets.c.queued == target.queued,
            )
            .values(queued=queued, state=state.value, reason=reason, retrying=int(is_retry))
        )
        return changed.rowcount == 1

    def cancel_rest(self, job: Job) -> None:
        """Cancel the terminals of a job whose commands are not all queued."""
        self._connection.execute(
            update(job_targets)
            .where(_of(job), job_targets.c.state.in_(_LEFT))
            .values(state=TargetState.CANCELLED.value, retrying=0)
        )

    def progress(self, job: Job) -> Mapping[str, tuple[int, int]]:
        """Return the number of terminals, and of their queued commands, by state."""
        query = (
            select(job_targets.c.state, func.count(), func.sum(job_targets.c.queued))
            .where(_of(job))
            .group_by(job_targets.c.state)
        )
        rows = self._connection.execute(query)
        return {state: (int(count), int(queued)) for state, count, queued in rows}

    def remove_old(self, before: int, limit: int) -> int:
        """Remove jobs that ended before an instant (ms) and have no commands left."""
        old = (
            select(jobs.c.seq)
            .where(
                jobs.c.ended_at < before,
                ~select(commands.c.seq).where(commands.c.job == jobs.c.id).exists(),
            )
            .limit(limit)
        )
        return self._connection.execute(delete(jobs).where(jobs.c.seq.in_(old))).rowcount

    def refused(
        self, job: Job, limit: int, areas: frozenset[str] | None = None
    ) -> list[tuple[str | None, str]]:
        """Return terminals that cannot take the commands, each with the reason.

        `areas` are those of a limited caller, to whom terminals of other areas have no name.
        """
        sn: ColumnElement[str] = devices.c.sn
        if areas is not None:
            sn = case((devices.c.id.in_(terminals_in(areas)), devices.c.sn), else_=None)
        query = (
            select(sn, job_targets.c.reason)
            .join(devices, devices.c.id == job_targets.c.device_id)
            .where(_of(job), job_targets.c.state.in_(REFUSALS))
            .order_by(job_targets.c.place)
            .limit(limit)
        )
        return [(sn, reason or "") for sn, reason in self._connection.execute(query)]

    def _job(self, row: Any) -> Job:
        values = row._mapping
        return Job(
            seq=values["seq"],
            id=values["id"],
            state=JobState(values["state"]),
            reason=values["reason"],
            names=msgspec.json.decode(values["names"]),
            number=values["number"],
            terminals=values["terminals"],
            options=msgspec.json.decode(values["options"], type=JobOptions),
            priority=values["priority"],
            created_at=values["created_at"],
            created_by=values["created_by"],
            ended_at=values["ended_at"],
            retry_states=msgspec.json.decode(values["retry_states"] or "[]"),
            retry_below=values["retry_below"] or 0,
            forgiven=values["forgiven"],
        )


def _of(job: Job) -> ColumnElement[bool]:
    return job_targets.c.job_seq == job.seq


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def forget_templates(erasure: Erasure) -> int:
    """Cancel the jobs with templates that are still to be queued."""
    for job in _with_commands(erasure.connection, erasure.vault):
        if any(erasure.rules.may_carry_templates(one.command, one.params) for one in job.commands):
            _cancel(erasure.connection, job.seq)
    return 0


def erase_person(erasure: PersonErasure) -> int:
    """Cancel the jobs with commands on a person that are still to be queued.

    A package for others, too, only loses the person.
    """
    tx, changed = erasure.tx, 0
    for job in _with_commands(tx.connection, tx.vault):
        left = [without_person(one.params, erasure.pin) for one in job.commands]
        if all(after is one.params for after, one in zip(left, job.commands, strict=True)):
            continue
        changed += 1
        if None in left:
            _cancel(tx.connection, job.seq)
            continue
        kept = [
            JobCommand(one.command, {**(after or {})})
            for after, one in zip(left, job.commands, strict=True)
        ]
        body = msgspec.json.encode(kept).decode()
        values = sealed(tx.vault, jobs, {"id": job.id, "body": body})
        tx.connection.execute(update(jobs).where(jobs.c.seq == job.seq).values(values))
    return changed


class _UnqueuedJob(NamedTuple):
    """A job whose commands are not all queued."""

    seq: int
    id: str
    commands: list[JobCommand]


def _with_commands(connection: Connection, vault: Vault) -> Iterator[_UnqueuedJob]:
    for row in connection.execute(select(jobs).where(jobs.c.body.is_not(None))).all():
        body = opened(vault, jobs, row._mapping)["body"]
        if body is not None:
            found = msgspec.json.decode(body, type=list[JobCommand])
            yield _UnqueuedJob(row.seq, row.id, found)


def _cancel(connection: Connection, seq: int) -> None:
    """Cancel what is not queued of a job, and remove its commands."""
    values = {"state": JobState.CANCELLING.value, "body": None}
    connection.execute(update(jobs).where(jobs.c.seq == seq).values(values))
    connection.execute(
        update(job_targets)
        .where(job_targets.c.job_seq == seq, job_targets.c.state.in_(_LEFT))
        .values(state=TargetState.CANCELLED.value, retrying=0)
    )
