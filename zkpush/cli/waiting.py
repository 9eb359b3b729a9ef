"""Waiting for jobs, with their progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from twisted.internet.task import deferLater

from .output import echo, progress
from .replies import Item
from .tables import printable

if TYPE_CHECKING:
    from .client import Api

POLL_SECONDS = 1.0
_GOING_ON = ("queueing", "running", "cancelling")
MOST_SHOWN = 10
"""Maximum number of failures that are printed."""


def job_progress(job: Item) -> str:
    """Describe how much of a job has ended, such as `380 of 500 done, 3 failed`."""
    counts = job["counts"]
    words = [f"{counts['done']} of {sum(counts.values())} done"]
    words += [f"{count} {name}" for name, count in counts.items() if count and name != "done"]
    return ", ".join(words)


async def wait_for_job(api: Api, job: Item, timeout: float | None) -> Item:
    """Poll a job until it is finished, stopped or cancelled, or the timeout passes."""
    started = api.clock.seconds()
    with progress() as say:
        while job["state"] in _GOING_ON:
            waited = api.clock.seconds() - started
            say(f"The job is {job['state']}", f"{job_progress(job)}; {waited:.0f} s")
            if timeout is not None and waited >= timeout:
                break
            left = POLL_SECONDS if timeout is None else min(POLL_SECONDS, timeout - waited)
            await deferLater(api.clock, left)
            job = await api.get("jobs", job["id"])
    return job


def report_job(job: Item) -> None:
    """Print the outcome of a job; `click.ClickException` unless all its commands succeeded."""
    for one in job["failed"][:MOST_SHOWN]:
        echo(f"{one['device']}: {one['state']}: {printable(one['meaning'])}", err=True)
    if len(job["failed"]) > MOST_SHOWN:
        echo(f"For all failures: zkpush jobs show {job['id']}", err=True)
    if job["state"] == "finished" and not _missing(job):
        echo(f"The job is finished: {job_progress(job)}.", err=True)
        return
    reason = f" {printable(job['reason'])}" if job["reason"] else ""
    raise click.ClickException(f"The job is {job['state']}: {job_progress(job)}.{reason}")


def _missing(job: Item) -> int:
    counts = job["counts"]
    missing: int = sum(counts.values()) - counts["done"] - counts["removed"]
    return missing
