"""`zkpush jobs`: commands for many terminals, and their progress."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import attrs
import click

from ...cli.arguments import as_json
from ...cli.groups import NEWEST_FIRST, ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object
from ...cli.replies import ListPage
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from ...cli.waiting import job_progress, report_job, wait_for_job
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("ID", "id"),
    Column("Command", "command", wraps=True),
    Column("Terminals", "devices"),
    Column("State", "state"),
    Column("Progress", "progress", wraps=True),
    Column("Created", "created_at", shown_instant, is_spare=True),
)
_job_id = click.argument("id", metavar="ID")


jobs = WordGroup(
    "jobs",
    help=f"{WORDS['jobs']}\n\n"
    "`zkpush commands send` makes a job if it names several terminals, --area or --all.",
)


@jobs.command("list", cls=ListCommand, order=NEWEST_FIRST)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Print the newest N.")
@as_json
@with_api
async def list_(api: Api, limit: int | None, as_json: bool) -> None:
    """List jobs.

    \b
    Example:
      zkpush jobs list --limit 5
    """
    pages = api.pages("jobs", limit=limit)
    await print_list(
        pages if as_json else _with_progress(pages),
        _COLUMNS,
        as_json=as_json,
        empty="There are no jobs. Make one: zkpush commands send --all INFO",
    )


async def _with_progress(pages: AsyncIterator[ListPage]) -> AsyncIterator[ListPage]:
    async for page in pages:
        items = [{**item, "progress": job_progress(item)} for item in page.items]
        yield attrs.evolve(page, items=items)


@jobs.command()
@_job_id
@click.option(
    "--wait", is_flag=True, help="Wait until it ends. Exit status 1 unless all commands succeed."
)
@as_json
@with_api
async def show(api: Api, id: str, wait: bool, as_json: bool) -> None:
    """Show a job with its counts and failures.

    \b
    Example:
      zkpush jobs show j7taaez4j8gy --wait
    """
    job = await api.get("jobs", id)
    if not wait:
        print_object(job, as_json=as_json)
        return
    job = await wait_for_job(api, job, None)
    if as_json:
        print_object(job, as_json=True)
    report_job(job)


@jobs.command()
@_job_id
@with_api
async def cancel(api: Api, id: str) -> None:
    """Cancel the commands of a job that have not ended.

    A terminal that has fetched a command already may still execute it.

    \b
    Example:
      zkpush jobs cancel j7taaez4j8gy
    """
    await api.send("DELETE", "jobs", id)
    echo(f"The job {id} is cancelled.")


@jobs.command()
@_job_id
@click.option(
    "--unknown",
    is_flag=True,
    help="Also commands that were sent once and not answered; a terminal may execute them twice.",
)
@as_json
@with_api
async def retry(api: Api, id: str, unknown: bool, as_json: bool) -> None:
    """Queue again the commands of a job that failed or expired.

    A job that stopped after failures goes on.

    \b
    Example:
      zkpush jobs retry j7taaez4j8gy
    """
    states = ["failed", "expired", *(["unknown"] if unknown else [])]
    job = await api.send("POST", "jobs", id, "retry", body={"states": states})
    if as_json:
        print_object(job, as_json=True)
    else:
        echo(f"The job {id} goes on: {job_progress(job)}.")
