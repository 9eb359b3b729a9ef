"""`zkpush attendance verify`: compare the records of terminals with the stored ones."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import click
from twisted.internet.task import deferLater

from ...cli import completion
from ...cli.arguments import as_json, day, duration, serial_number
from ...cli.groups import LeafCommand
from ...cli.output import echo, print_list, progress_bar
from ...cli.replies import Item, ListPage
from ...cli.running import with_api
from ...cli.tables import Column
from ...counting import counted

if TYPE_CHECKING:
    from ...cli.client import Api

POLL_SECONDS = 1.0
_OPEN = ("waiting", "counting", "fetching", "recounting")
_PROVED = ("complete", "surplus")
_NOT_COMPARED = ("unsupported", "not_answered", "cancelled")
_COLUMNS = (
    Column("Device", "device"),
    Column("Day", "day"),
    Column("State", "state"),
    Column("Records", "meaning", wraps=True),
)
_WORDS = {
    "short": "records are missing",
    "unsupported": "the terminal cannot count",
    "not_answered": "no answer in time",
    "cancelled": "the command was cancelled",
}
_NOT_OVER = (
    "The day is not over: what the terminals hold by now was compared. Compare it again when it is "
    "over; by default, the server does so at night."
)
_STATUS = (
    "Exit status: 0 no record is missing, 1 records are missing, a terminal did not count, or "
    "another failure (the message is on stderr), 2 wrong usage."
)

_NOT_TOLD = (
    " A terminal that cannot count does not tell how many records it holds: export its records "
    "at the terminal (USB), and compare them with `zkpush attendance list`."
)
"""What to do about days that cannot be compared."""


@click.command(cls=LeafCommand, status=_STATUS, short_help="Prove that no record is missing.")
@click.option(
    "--device",
    metavar="SN",
    callback=serial_number,
    shell_complete=completion.serial_numbers,
    help="Only this terminal. Default: all approved terminals.",
)
@click.option("--area", metavar="NAME", help="Only the terminals of this area.")
@click.option(
    "--day",
    "since",
    callback=day,
    metavar="DATE",
    help="The day, by the clock of each terminal; of today, what is there by now. Default: "
    "yesterday.",
)
@click.option(
    "--days", type=click.IntRange(1, 62), metavar="N", help="The N days before today, instead."
)
@click.option(
    "--wait",
    "expires_in",
    metavar="DURATION",
    callback=duration,
    help="Wait so long for terminals that are not connected, such as 90s, 10m or 2h; a bare number "
    "is in seconds. Default: 1h.",
)
@click.option(
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    help="Ask no terminal: print the newest N outcomes, newest last.",
)
@as_json
@with_api
async def verify(
    api: Api,
    device: str | None,
    area: str | None,
    since: str | None,
    days: int | None,
    expires_in: int | None,
    last: int | None,
    as_json: bool,
) -> None:
    """Compare the number of records on terminals with the stored ones, day by day.

    Each terminal counts its attendance records. If it holds more than are stored, the server asks
    it to send those of that day again, and to count once more. The server does the same by itself
    each night. If you interrupt this command, the server goes on.

    \b
    Examples:
      zkpush attendance verify --days 7
      zkpush attendance verify --device 3434174801234 --day 2026-03-01
      zkpush attendance verify --last 20
    """
    if since is not None and days is not None:
        raise click.UsageError("--day and --days exclude each other.")
    if device is not None and area is not None:
        raise click.UsageError("--device and --area exclude each other.")
    if last is not None:
        if days is not None or expires_in is not None or area is not None:
            raise click.UsageError("--last goes with --device and --day only.")
        filters = {"device": device, "since": since, "until": since, "order": "desc"}
        await _print(_newest(api, last, filters), as_json=as_json)
        return
    body: dict[str, object] = {"all": True}
    if device is not None or area is not None:
        body = {"devices": [device]} if device is not None else {"area": area}
    options = {"since": since, "days": days, "expires_in": expires_in}
    body |= {name: value for name, value in options.items() if value is not None}
    run = await api.send("POST", "attendance", "verify", body=body)
    echo(_waits(run, expires_in), err=True)
    run = await _finished(api, run)
    pages = api.pages("attendance", "verify", limit=None, filters={"run": run["id"]})
    await _print(pages, as_json=as_json)
    if since is not None and since >= str(datetime.date.today()):
        echo(_NOT_OVER, err=True)
    _report(run)


async def _finished(api: Api, run: Item) -> Item:
    """Wait until a request is finished."""
    with progress_bar("Comparing records") as say:
        while True:
            total = sum(run["counts"].values())
            say(total - sum(run["counts"][state] for state in _OPEN), total)
            if run["state"] == "finished":
                return run
            await deferLater(api.clock, POLL_SECONDS)
            run = await api.get("attendance", "verify", run["id"])


def _waits(run: Item, expires_in: int | None) -> str:
    """Say before the wait what is waited for, and for how long."""
    asked = sum(run["counts"][state] for state in _OPEN)
    limit = counted(expires_in, "second") if expires_in is not None else "an hour"
    return (
        f"Asking for {counted(asked, 'day')} of terminals; those that are not connected are waited "
        f"for up to {limit} (--wait). If you interrupt, the server goes on."
    )


def _report(run: Item) -> None:
    """Print the total; `click.ClickException` if a day is not proved."""
    counts = run["counts"]
    total, proved = sum(counts.values()), sum(counts[state] for state in _PROVED)
    words = f"No record is missing on {proved} of {counted(total, 'day')} of terminals"
    if proved == total:
        echo(f"{words}.", err=True)
        return
    incomparable = sum(counts[state] for state in _NOT_COMPARED)
    if incomparable == total:
        words = f"{counted(total, 'day')} of terminals could not be compared"
    others = [
        f"{_WORDS.get(state, state)} on {counted(number, 'day')}"
        for state, number in counts.items()
        if number and state not in _PROVED
    ]
    advice = _NOT_TOLD if counts.get("unsupported") else ""
    raise click.ClickException(f"{words}: {', '.join(others)}.{advice}")


async def _print(pages: AsyncIterator[ListPage], *, as_json: bool) -> None:
    empty = "Nothing was compared yet. Compare now: zkpush attendance verify"
    await print_list(pages, _COLUMNS, as_json=as_json, empty=empty)


async def _newest(
    api: Api, number: int, filters: Mapping[str, str | None]
) -> AsyncIterator[ListPage]:
    """Return the newest outcomes, newest last."""
    found: list[Item] = []
    async for page in api.pages("attendance", "verify", limit=number, filters=filters):
        found += page.items
    yield ListPage(found[:number][::-1], None)
