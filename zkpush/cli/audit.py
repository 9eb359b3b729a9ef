"""`zkpush audit`: the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..enginewords import ENGINE_WORDS
from .arguments import of_device
from .groups import OLDEST_FIRST, ListCommand, WordGroup
from .records import ListForm, list_options, print_records
from .running import with_api
from .tables import Column
from .times import shown_instant

if TYPE_CHECKING:
    from .client import Api

_COLUMNS = (
    Column("ID", "id", is_spare=True),
    Column("Recorded", "recorded_at", shown_instant),
    Column("Actor", "actor", wraps=True),
    Column("Action", "action", wraps=True),
    Column("Subject", "subject", wraps=True),
    Column("Users", "pins", is_spare=True),
    Column("Detail", "detail", is_below=True),
)


audit = WordGroup(
    "audit",
    help=f"{ENGINE_WORDS['audit']}\n\n"
    "The log names people as `person:…`. The list also shows their user IDs while the server "
    "knows them.",
)


@audit.command("list", cls=ListCommand, order=OLDEST_FIRST)
@of_device
@click.option(
    "--actor",
    metavar="ACTOR",
    help="Only entries of this actor, such as 'token hr' or 'device SN'.",
)
@click.option(
    "--action", metavar="ACTION", help="Only this action, such as 'queue command' or 'refused'."
)
@click.option("--pin", metavar="PIN", help="Only entries about the person with this user ID.")
@list_options
@with_api
async def list_(
    api: Api,
    device: str | None,
    actor: str | None,
    action: str | None,
    pin: str | None,
    form: ListForm,
) -> None:
    """List the audit log.

    With --device, lists what was done to the terminal, and what it did or was refused.

    \b
    Examples:
      zkpush audit list --action refused --last 20
      zkpush audit list --device 3434174801234 --since yesterday
    """
    filters = {"device": device, "actor": actor, "action": action, "pin": pin}
    await print_records(
        api,
        "audit",
        form=form,
        columns=_COLUMNS,
        filters=filters,
        served=("since", "until"),
        pin=pin,
        empty="No entries found. --actor and --action take exactly what the columns show; without "
        "filters, all entries are listed.",
    )
