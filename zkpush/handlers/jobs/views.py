"""Jobs in the API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...commandreasons import COMMAND_REASONS
from ...device.families import Families
from ...manage.times import instant, instant_or_none
from ...persist.commandjobs import JobCommands
from ...persist.commandrows import reason_words
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...values.commands import CommandState, QueuedCommand
from ...valuewords import TIME_OF_DAY
from .model import Job, JobState, TargetState, Window
from .store import JobStore

MOST_FAILED = 100
"""Maximum number of failures that a job lists."""


class JobCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of commands by state; together all commands of the job."""

    waiting: Annotated[int, Meta(description="Not queued yet")] = 0
    queued: int = 0
    sent: int = 0
    done: int = 0
    failed: int = 0
    expired: int = 0
    cancelled: int = 0
    unknown: int = 0
    refused: Annotated[int, Meta(description="Not queued: the terminal cannot take it")] = 0
    removed: Annotated[int, Meta(description="Ended, and deleted because of their age")] = 0


class FailedCommand(msgspec.Struct, frozen=True):
    """A command of a job that did not succeed."""

    device: Annotated[
        str | None,
        Meta(description="Null to callers who are limited to areas, where it has left these areas"),
    ]
    command: Annotated[
        str | None, Meta(description="Id of the command; null where the terminal cannot take it")
    ]
    state: Annotated[str, Meta(description="failed, expired, unknown or refused")]
    meaning: str


class WindowView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A daily window by the clock of each terminal."""

    begin: Annotated[
        Annotated[str, Meta(pattern=TIME_OF_DAY)],
        Meta(description="First minute, HH:MM"),
    ]
    end: Annotated[
        Annotated[str, Meta(pattern=TIME_OF_DAY)],
        Meta(description="End, HH:MM; before `begin` if the window contains midnight"),
    ]

    def window(self) -> Window:
        """Return the window; `ValueError` if it is empty."""
        begin, end = (_minutes(text) for text in (self.begin, self.end))
        if begin == end:
            raise ValueError(
                Phrase("window: begin and end are the same; leave out the window instead.")
            )
        return Window(begin, end)


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job: commands for many terminals."""

    id: str
    command: Annotated[str, Meta(description="Names of its commands")]
    commands: Annotated[int, Meta(description="Number of commands for each terminal")]
    devices: Annotated[int, Meta(description="Number of terminals")]
    state: Annotated[
        str,
        Meta(
            description="queueing: commands are still to be queued; running: all are queued, and "
            "some have not ended; finished; stopped: after failures, see `retry`; cancelling; "
            "cancelled"
        ),
    ]
    reason: Annotated[str | None, Meta(description="Why it stopped")]
    counts: JobCounts
    failed: Annotated[
        list[FailedCommand],
        Meta(
            description=f"The first {MOST_FAILED} commands that did not succeed, except cancelled "
            "ones; empty in lists. For all: `GET commands?job=`"
        ),
    ]
    priority: int
    wave: Annotated[int | None, Meta(description="Terminals at a time; null: all at once")]
    stop_after: Annotated[
        int | None, Meta(description="Number of failed commands after which it stops")
    ]
    window: WindowView | None
    created_at: str
    created_by: str
    ended_at: Annotated[
        str | None,
        Meta(description="Time when its last command ended; null while the job goes on or waits"),
    ]


def view_thd(
    tx: Transaction,
    job: Job,
    families: Families,
    areas: frozenset[str] | None,
    *,
    is_whole: bool = True,
) -> JobView:
    """Show a job, with its failures if the view is to be whole.

    `areas` are those of a limited caller.
    """
    counts = _counts(tx, job)
    state = _state(job, counts)
    options = job.options
    return JobView(
        id=job.id,
        command=", ".join(job.names),
        commands=job.number,
        devices=job.terminals,
        state=state,
        reason=job.reason,
        counts=counts,
        failed=_failed(tx, job, families, areas) if is_whole else [],
        priority=job.priority,
        wave=options.wave,
        stop_after=options.stop_after,
        window=None if options.window is None else _window_view(options.window),
        created_at=instant(job.created_at),
        created_by=job.created_by,
        ended_at=instant_or_none(_ended_at(tx, job, state)),
    )


def _counts(tx: Transaction, job: Job) -> JobCounts:
    progress = tx[JobStore].progress(job)

    def missing(*states: TargetState) -> int:
        pairs = [progress.get(state.value, (0, 0)) for state in states]
        return sum(terminals * job.number - queued for terminals, queued in pairs)

    found = dict(tx[JobCommands].counts(job.id))
    cancelled = found.pop(CommandState.CANCELLED.value, 0) + missing(TargetState.CANCELLED)
    counts = JobCounts(
        waiting=missing(TargetState.WAITING, TargetState.NEXT),
        refused=missing(TargetState.REFUSED, TargetState.MOVED),
        cancelled=cancelled,
        **found,
    )
    total = sum(msgspec.structs.astuple(counts))
    return msgspec.structs.replace(counts, removed=max(0, job.number * job.terminals - total))


_FINISHED = "finished"
_ENDED = (_FINISHED, JobState.CANCELLED.value)


def _state(job: Job, counts: JobCounts) -> str:
    if job.state is not JobState.QUEUED:
        return job.state.value
    return "running" if counts.queued or counts.sent else _FINISHED


def _ended_at(tx: Transaction, job: Job, state: str) -> int | None:
    """Return when a job ended: with its last command, or when nothing was left to queue."""
    if state not in _ENDED:
        return None
    times = (job.ended_at, tx[JobCommands].ended_at(job.id))
    return max((at for at in times if at is not None), default=None)


def _failed(
    tx: Transaction, job: Job, families: Families, areas: frozenset[str] | None
) -> list[FailedCommand]:
    refused = [
        FailedCommand(sn, None, TargetState.REFUSED.value, COMMAND_REASONS.phrase(reason))
        for sn, reason in tx[JobStore].refused(job, MOST_FAILED, areas)
    ]
    commands = tx[JobCommands].failed(job.id, MOST_FAILED - len(refused))
    return refused + [
        FailedCommand(one.device, one.id, one.state.value, _meaning(one, families))
        for one in commands
    ]


def _meaning(command: QueuedCommand, families: Families) -> str:
    code = command.return_code
    meaning = None
    if code is not None and command.state is CommandState.FAILED:
        meaning = families.named(command.family).outcome(command.command, code).meaning
    return COMMAND_REASONS.phrase(meaning or reason_words(command) or f"code {code}")


def _window_view(window: Window) -> WindowView:
    begin, end = (f"{part // 60:02}:{part % 60:02}" for part in (window.begin, window.end))
    return WindowView(begin, end)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)
