"""Progress of jobs from wave to wave: which terminals are next, and when a job stops or ends."""

from __future__ import annotations

from ...counting import counted
from ...persist.commandjobs import JobCommands
from ...persist.transaction import Transaction
from .model import Job, JobState, TargetState
from .store import JobStore


def choose_thd(tx: Transaction, job: Job, now: int, lifetime: int) -> bool:
    """Choose the terminals whose commands are queued next; False if there are none now.

    Called when the commands of all chosen terminals are queued. Ends the job if no terminal is
    left, and stops it if too many commands have failed. Terminals that did not fetch their commands
    in a window are chosen again after all others, until the job is older than `lifetime` (ms).
    """
    store = tx[JobStore]
    present = store.get(job.id, locked=True)
    if present is None or present.state is not JobState.QUEUEING:
        return False
    if store.targets(job, TargetState.NEXT, 1):
        return True
    waiting = store.zones(job)
    options = present.options
    at_work = tx[JobCommands].terminals_at_work(job.id)
    if not waiting and options.window is not None and now < present.created_at + lifetime:
        if at_work:
            return False
        if missed := tx[JobCommands].terminals_missed(job.id):
            store.queue_again(job, missed)
            waiting = store.zones(job)
    if not waiting:
        store.change(job, JobState.QUEUED, now)
        return False
    if options.wave is not None and at_work:
        return False
    if options.stop_after is not None:
        failures = tx[JobCommands].failures(job.id, store.retrying(job)) - present.forgiven
        if failures >= options.stop_after:
            reason = f"{counted(failures, 'command')} failed; the rest is not queued."
            store.change(job, JobState.STOPPED, now, reason)
            return False
    window = options.window
    places = [
        place for place, zone in waiting if window is None or window.end_at(now, zone) is not None
    ]
    chosen = places if options.wave is None else places[: options.wave]
    if chosen:
        store.choose(job, chosen)
    return bool(chosen)
