"""`zkpush audit`: who did what, and who was turned away."""

from __future__ import annotations

import click

from .arguments import as_json
from .client import CSV, Api
from .output import Column, print_csv, print_list
from .running import with_api

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
    """See who did what, and who was turned away.

    People stand in it as `person:…`. Their user IDs are shown as long as the server knows them.
    """


@audit.command("list")
@click.option("--since", metavar="TIME", help="From this date or time on (ISO 8601, else UTC).")
@click.option("--until", metavar="TIME", help="Before this date or time (ISO 8601, else UTC).")
@click.option("--actor", help="Only of this one, such as 'token hr' or 'device SN'.")
@click.option("--action", help="Only this, such as 'queue command' or 'refused'.")
@click.option("--pin", metavar="PIN", help="Only what names the person with this user ID.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
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
    """List the audit log, in the order it was written."""
    if as_csv and as_json:
        raise click.UsageError("Either --csv or --json.")
    filters = {"since": since, "until": until, "actor": actor, "action": action, "pin": pin}
    if as_csv:
        await print_csv(api.pages("audit", accept=CSV, limit=limit, filters=filters))
        return
    await print_list(
        api.pages("audit", limit=limit, filters=filters),
        _COLUMNS,
        as_json=as_json,
        empty="There are no such records.",
    )
