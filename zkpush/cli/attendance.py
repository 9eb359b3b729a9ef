"""`zkpush attendance`: the attendance records."""

from __future__ import annotations

import click
from twisted.internet.defer import CancelledError

from .arguments import as_json, serial_number
from .client import CSV, Api, Item
from .following import follow
from .output import Column, Table, print_csv, print_json, print_list
from .running import with_api

_COLUMNS = (
    Column("ID", "id"),
    Column("Device", "device"),
    Column("PIN", "pin"),
    Column("Time", "time"),
    Column("Status", "status"),
    Column("Verify", "verify"),
    Column("Work code", "work_code"),
)


@click.group()
def attendance() -> None:
    """See who was verified when."""


@attendance.command("list")
@click.option("--device", metavar="SN", callback=serial_number, help="Only of this terminal.")
@click.option("--pin", help="Only of this user.")
@click.option("--since", metavar="TIME", help="From this date or time on (ISO 8601, else UTC).")
@click.option("--until", metavar="TIME", help="Before this date or time (ISO 8601, else UTC).")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with everything there is.")
@as_json
@with_api
async def list_(
    api: Api,
    device: str | None,
    pin: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """List attendance records, in the order they were stored.

    Time is the terminal's own wall clock; CSV and JSON also have UTC.
    """
    if as_csv and as_json:
        raise click.UsageError("Either --csv or --json.")
    filters = {"device": device, "pin": pin, "since": since, "until": until}
    if as_csv:
        await print_csv(api.pages("attendance", accept=CSV, limit=limit, filters=filters))
        return
    await print_list(
        api.pages("attendance", limit=limit, filters=filters),
        _COLUMNS,
        as_json=as_json,
        empty="There are no such records.",
    )


@attendance.command("follow")
@as_json
@with_api
async def follow_(api: Api, as_json: bool) -> None:
    """Print new attendance records as they come, until interrupted.

    JSON is an object a line. If the daemon is restarted, it goes on where it was: each record is
    printed once.
    """
    table = Table(_COLUMNS)

    def take(kind: str, record: Item) -> None:
        if kind != "attendance":
            return
        if as_json:
            print_json(record)
        else:
            table.print([record])

    try:
        await follow(api, "attendance", take)
    except CancelledError:
        return
