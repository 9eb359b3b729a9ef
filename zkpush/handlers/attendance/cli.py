"""`zkpush attendance`: list and follow attendance records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from twisted.internet.defer import CancelledError

from ...cli.arguments import TIME_FORMAT, as_json, serial_number
from ...cli.following import follow
from ...cli.output import Column, ListTable, print_csv, print_json, print_list
from ...cli.replies import Item
from ...cli.running import with_api
from ...protocol.times import DOUBTS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("ID", "id"),
    Column("Device", "device"),
    Column("PIN", "pin"),
    Column("Time", "time"),
    Column("Status", "status_meaning"),
    Column("Verify", "verify_meaning"),
    Column("Work code", "work_code"),
)


@click.group()
def attendance() -> None:
    """List and follow attendance records (punches)."""


@attendance.command("list")
@click.option("--device", metavar="SN", callback=serial_number, help="Only from this terminal.")
@click.option("--pin", metavar="PIN", help="Only of this user.")
@click.option("--since", metavar="TIME", help=f"From this time on. {TIME_FORMAT}")
@click.option("--until", metavar="TIME", help=f"Before this time. {TIME_FORMAT}")
@click.option("--received-since", metavar="TIME", help="Received from this time on.")
@click.option("--doubt", type=click.Choice(DOUBTS), help="Only with this doubt about the time.")
@click.option("--all-types", is_flag=True, help="Also verifications of identity cards.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Print at most N records.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with all columns.")
@as_json
@with_api
async def list_(
    api: Api,
    device: str | None,
    pin: str | None,
    since: str | None,
    until: str | None,
    received_since: str | None,
    doubt: str | None,
    all_types: bool,
    limit: int | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """List attendance records, in the order they were stored.

    Time is the wall clock of the terminal. CSV and JSON also contain the time in UTC.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    filters = {
        "device": device,
        "pin": pin,
        "since": since,
        "until": until,
        "received_since": received_since,
        "doubt": doubt,
        "record_type": "all" if all_types else None,
    }
    if as_csv:
        await print_csv(api, "attendance", filters=filters, limit=limit)
        return
    await print_list(
        api.pages("attendance", limit=limit, filters=filters),
        _COLUMNS,
        as_json=as_json,
        empty="No records found.",
    )


@attendance.command("follow")
@as_json
@with_api
async def follow_(api: Api, as_json: bool) -> None:
    """Print new attendance records as they arrive, until interrupted.

    With --json, each line is one JSON object. After a restart of the daemon the command resumes;
    each record is printed once.
    """
    table = ListTable(_COLUMNS)

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
