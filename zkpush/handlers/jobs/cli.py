"""`zkpush jobs`: commands for many terminals, and their progress."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import attrs
import click

from ...cli import completion
from ...cli.arguments import as_json
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.output import echo, print_object
from ...cli.records import ListForm, list_options, print_records
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
_job_id = click.argument("id", metavar="ID", shell_complete=completion.names_of("jobs", "id"))


jobs = WordGroup(
    "jobs",
    help=f"{WORDS['jobs']}\n\n"
    "`zkpush commands send` makes a job if it names several terminals, --area or --all.",
)


@jobs.command("list", cls=ListCommand, order=OLDEST_FIRST)
@list_options
@with_api
async def list_(api: Api, form: ListForm) -> None:
    """List jobs.

    \b
    Example:
      zkpush jobs list --last 5
    """
    await print_records(
        api,
        "jobs",
        form=form,
        columns=_COLUMNS,
        empty="There are no jobs. Make one: zkpush commands send --all INFO",
        change=_with_progress,
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
      zkpush jobs show mwx7taaez4k2qp --wait
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
      zkpush jobs cancel mwx7taaez4k2qp
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
      zkpush jobs retry mwx7taaez4k2qp
    """
    states = ["failed", "expired", *(["unknown"] if unknown else [])]
    job = await api.send("POST", "jobs", id, "retry", body={"states": states})
    if as_json:
        print_object(job, as_json=True)
    else:
        echo(f"The job {id} goes on: {job_progress(job)}.")
