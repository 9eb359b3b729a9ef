"""`zkpush commands`: commands for terminals, and their results."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs
import click

from ...cli import completion
from ...cli.arguments import as_json, of_device, serial_number
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.output import echo, print_object
from ...cli.records import ListForm, list_options, print_records
from ...cli.replies import ApiFailure, ListPage
from ...cli.running import with_api
from ...cli.tables import Column, printable
from ...cli.times import shown_instant
from ...values.commands import CommandState
from .cataloguecli import catalogue
from .sendcli import send
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("ID", "id"),
    Column("Device", "device"),
    Column("Command", "command", wraps=True),
    Column("State", "state"),
    Column("Created", "created_at", shown_instant),
    Column("Finished", "finished_at", shown_instant, is_spare=True),
    Column("Code", "return_code", is_spare=True),
    Column("Meaning", "meaning", is_below=True),
)
_ANSWERED = (CommandState.DONE, CommandState.FAILED)
_command_id = click.argument(
    "id", metavar="ID", shell_complete=completion.names_of("commands", "id")
)


commands = WordGroup("commands", help=WORDS["commands"])
commands.add_command(catalogue)
commands.add_command(send)


@commands.command("list", cls=ListCommand, order=OLDEST_FIRST)
@click.argument(
    "sn",
    metavar="[SN]",
    required=False,
    callback=serial_number,
    shell_complete=completion.serial_numbers,
)
@of_device
@click.option(
    "--state",
    type=click.Choice([state.value for state in CommandState]),
    help="Only commands in this state.",
)
@click.option("--command", metavar="NAME", help="Only this command, such as 'SET OPTION'.")
@click.option("--job", metavar="ID", help="Only commands of this job.")
@list_options
@with_api
async def list_(
    api: Api,
    sn: str | None,
    device: str | None,
    state: str | None,
    command: str | None,
    job: str | None,
    form: ListForm,
) -> None:
    """List commands: of a terminal, or of all.

    Their time is that at which they were queued.

    \b
    Examples:
      zkpush commands list --today
      zkpush commands list 3434174801234 --state failed --since yesterday
    """
    if None not in (sn, device) and sn != device:
        raise click.UsageError("SN and --device name different terminals.")
    if job is not None:
        await api.get("jobs", job)  # an unknown job is a mistake, not an empty list
    await print_records(
        api,
        "commands",
        form=form,
        columns=_COLUMNS,
        filters={"device": sn or device, "state": state, "command": command, "job": job},
        served=("since",),
        empty="No commands found. Queue one: zkpush commands send SN INFO",
        change=_with_params,
    )


async def _with_params(pages: AsyncIterator[ListPage]) -> AsyncIterator[ListPage]:
    """Show each command as typed: its name and parameters in one column.

    Beside it is the meaning of the return code or, without an answer, the reason of the end.
    """
    async for page in pages:
        items = [
            {
                **item,
                "command": " ".join([item["command"], printable(item["params"])]).strip(),
                "meaning": (item["meaning"] if item["state"] in _ANSWERED else None)
                or item.get("reason"),
            }
            for item in page.items
        ]
        yield attrs.evolve(page, items=items)


@asynccontextmanager
async def _no_job(api: Api, id: str) -> AsyncIterator[None]:
    """Say of an ID without a command that it is the one of a job, if it is."""
    try:
        yield
    except ApiFailure as error:
        if error.status == HTTPStatus.NOT_FOUND:
            with suppress(ApiFailure):
                await api.get("jobs", id)
                raise click.ClickException(
                    f"{id} is a job, not a command. See: zkpush jobs show {id}"
                ) from None
        raise


@commands.command()
@_command_id
@as_json
@with_api
async def show(api: Api, id: str, as_json: bool) -> None:
    """Show a command with its state and result.

    \b
    Example:
      zkpush commands show mwx7taaez4j8gy
    """
    async with _no_job(api, id):
        found = await api.get("commands", id)
    print_object(found, as_json=as_json)


@commands.command()
@_command_id
@with_api
async def cancel(api: Api, id: str) -> None:
    """Cancel a command that has not ended.

    A terminal that has fetched the command already may still execute it.

    \b
    Example:
      zkpush commands cancel mwx7taaez4j8gy
    """
    async with _no_job(api, id):
        await api.send("DELETE", "commands", id)
    echo(f"The command {id} is cancelled.")
