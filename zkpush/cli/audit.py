"""`zkpush audit`: the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .arguments import TIME_FORMAT, as_json
from .output import Column, print_csv, print_list
from .running import with_api

if TYPE_CHECKING:
    from .client import Api

_COLUMNS = (
    Column("ID", "id"),
    Column("Recorded", "recorded_at"),
    Column("Actor", "actor"),
    Column("Action", "action"),
    Column("Subject", "subject"),
    Column("Users", "pins"),
    Column("Detail", "detail"),
)


@click.group()
def audit() -> None:
    """List the audit log: changes, access to secrets, and refused requests.

    The log names people as `person:…`. The list also shows their user IDs while the server knows
    them.
    """


@audit.command("list")
@click.option("--since", metavar="TIME", help=f"From this time on. {TIME_FORMAT}")
@click.option("--until", metavar="TIME", help=f"Before this time. {TIME_FORMAT}")
@click.option("--actor", help="Only entries of this actor, such as 'token hr' or 'device SN'.")
@click.option("--action", help="Only this action, such as 'queue command' or 'refused'.")
@click.option("--pin", metavar="PIN", help="Only entries about the person with this user ID.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Print at most N entries.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@as_json
@with_api
async def list_(
    api: Api,
    since: str | None,
    until: str | None,
    actor: str | None,
    action: str | None,
    pin: str | None,
    limit: int | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """List the audit log, oldest entry first."""
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    filters = {"since": since, "until": until, "actor": actor, "action": action, "pin": pin}
    if as_csv:
        await print_csv(api, "audit", filters=filters, limit=limit)
        return
    await print_list(
        api.pages("audit", limit=limit, filters=filters),
        _COLUMNS,
        as_json=as_json,
        empty="No entries found.",
    )
