"""`zkpush attendance days`: the payroll sheet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import click

from ...cli.arguments import as_json, of_device
from ...cli.groups import ListCommand
from ...cli.output import echo, print_csv, print_list
from ...cli.records import no_user
from ...cli.replies import Item, ListPage
from ...cli.running import with_api
from ...cli.tables import Column
from ...counting import agreeing, counted

if TYPE_CHECKING:
    from ...cli.client import Api

MOST = 1000
"""Days that are asked for at once."""


def _hours(minutes: object) -> str:
    """Format minutes as hours and minutes."""
    return f"{minutes // 60}:{minutes % 60:02}" if isinstance(minutes, int) else ""


def _listed(words: object) -> str:
    return ", ".join(map(str, words)) if isinstance(words, list) else ""


_COLUMNS = (
    Column("PIN", "pin"),
    Column("Name", "name", wraps=True),
    Column("Day", "day"),
    Column("First", "first"),
    Column("Last", "last"),
    Column("Punches", "punches"),
    Column("Between", "minutes", _hours),
    Column("To check", "to_check", _listed, wraps=True),
)


@click.command("days", cls=ListCommand, order="by user ID and day")
@click.option(
    "--first", metavar="DAY", help="First day, such as 2026-03-01. Default: the first of the month."
)
@click.option("--last", metavar="DAY", help="Last day. Default: today.")
@click.option("--timezone", metavar="ZONE", help="Where days begin. Default: that of the site.")
@of_device
@click.option("--area", metavar="NAME", help="Only punches at terminals of this area.")
@click.option("--pin", metavar="PIN", help="Only of this user.")
@click.option("--to-check", is_flag=True, help="Only days with something to check.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with all columns.")
@as_json
@with_api
async def days(
    api: Api,
    first: str | None,
    last: str | None,
    timezone: str | None,
    device: str | None,
    area: str | None,
    pin: str | None,
    to_check: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Print the payroll sheet: a row for each person and day with punches.

    \b
    Examples:
      zkpush attendance days --first 2026-03-01 --last 2026-03-31 --csv
      zkpush attendance days --to-check
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    filters = {
        "first": first,
        "last": last,
        "timezone": timezone,
        "device": device,
        "area": area,
        "pin": pin,
        "to_check": "true" if to_check else None,
    }
    if as_csv:
        await print_csv(api, "attendance", "days", filters=filters)
        return
    unread: list[Item] = []
    unseen: list[Item] = []
    pages = _pages(api, filters, unread, unseen)
    empty = None if as_json else await no_user(api, pin) or "No punches found in these days."
    await print_list(pages, _COLUMNS, as_json=as_json, empty=empty)
    for one in unseen:
        name = "" if one["name"] is None else f" {one['name']}"
        echo(f"{one['pin']}{name} has no punch in these days.", err=True)
    for one in unread:
        number = int(one["lines"])
        verb = agreeing(number, "is", "are")
        lines = counted(number, "line")
        more = f"zkpush rejects list --device {one['device']}"
        echo(f"{lines} that could not be read {verb} missing: {more}", err=True)


async def _pages(
    api: Api, filters: Mapping[str, str | None], unread: list[Item], unseen: list[Item]
) -> AsyncIterator[ListPage]:
    """Return the sheet page by page; set what could not be read, and the people without punches."""
    query = {name: value for name, value in filters.items() if value is not None}
    query["limit"] = str(MOST)
    while True:
        page = await api.get("attendance", "days", query=query)
        unread[:] = page["unread"]
        unseen[:] = page["without_punches"]
        yield ListPage(page["items"], page["next"])
        if page["next"] is None:
            return
        query["past"] = page["next"]
