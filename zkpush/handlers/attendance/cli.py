"""`zkpush attendance`: list and follow records, print days; `verify` is of completeness."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from ...cli.arguments import as_json, of_device
from ...cli.following import follow
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.names import Names, with_names
from ...cli.output import echo, print_json
from ...cli.records import SENDS_NOTHING, ListForm, list_options, print_records
from ...cli.replies import ApiFailure, Item, Unreachable
from ...cli.running import with_api
from ...cli.tables import Column, ListTable
from ...cli.times import TIME_FORMAT, midnight, point_in_time, shown_wall_time
from ...counting import agreeing, counted
from ...protocol.times import DOUBT_WORDS, DOUBTS
from .dayscli import days
from .photocli import photos
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

__all__ = ["attendance", "photos"]

_COLUMNS = (
    Column("ID", "id", is_spare=True),
    Column("Device", "device"),
    Column("PIN", "pin"),
    Column("Name", "name", wraps=True),
    Column("Time", "time", shown_wall_time),
    Column("Status", "status_meaning", wraps=True),
    Column("Verify", "verify_meaning", wraps=True),
    Column("Work code", "work_code", is_spare=True),
)


MOST_UNLISTED = 1000
"""Maximum number of verifications that are counted beside a list."""


attendance = WordGroup(
    "attendance",
    help=WORDS["attendance"],
    of_nouns={"verify": "zkpush.handlers.completeness.cli"},
)


attendance.add_command(days)


@attendance.command("list", cls=ListCommand, order=OLDEST_FIRST)
@of_device
@click.option("--history", is_flag=True, help="Also of the terminals that --device has replaced.")
@click.option("--pin", metavar="PIN", help="Only of this user.")
@click.option(
    "--received-since",
    metavar="TIME",
    callback=point_in_time,
    help=f"Only what the server received from this time on. {TIME_FORMAT}",
)
@click.option(
    "--doubt",
    type=click.Choice(DOUBTS),
    help="Only with this doubt about the time. "
    + "; ".join(f"{doubt}: {words}" for doubt, words in DOUBT_WORDS.items())
    + ".",
)
@click.option(
    "--all-types",
    is_flag=True,
    help="Also verifications of identity cards, which are no attendance.",
)
@list_options
@with_api
async def list_(
    api: Api,
    device: str | None,
    history: bool,
    pin: str | None,
    received_since: str | None,
    doubt: str | None,
    all_types: bool,
    form: ListForm,
) -> None:
    """List attendance records.

    Time is the wall clock of the terminal. CSV and JSON also contain the time in UTC.

    \b
    Examples:
      zkpush attendance list --today
      zkpush attendance list --pin 7 --since 2026-03-01 --until 2026-04-01 --csv
    """
    if history and device is None:
        raise click.UsageError("--history needs --device.")
    filters = {
        "device": device,
        "history": "true" if history else None,
        "pin": pin,
        "received_since": received_since,
        "doubt": doubt,
        "record_type": "all" if all_types else None,
    }
    await print_records(
        api,
        "attendance",
        form=form,
        columns=_COLUMNS,
        filters=filters,
        served=("since", "until"),
        pin=pin,
        empty=SENDS_NOTHING,
        change=lambda pages: with_names(api, pages),
    )
    if not (all_types or form.last or form.as_csv or form.as_json):
        await _tell_unlisted(api, form, filters)


async def _tell_unlisted(api: Api, form: ListForm, filters: Mapping[str, str | None]) -> None:
    """Say how many verifications of a period are not in a list of attendance records."""
    since = midnight().isoformat() if form.is_today else form.since
    wanted = {**filters, "record_type": "verification", "since": since, "until": form.until}
    number = 0
    async for page in api.pages("attendance", limit=MOST_UNLISTED + 1, filters=wanted):
        number += len(page.items)
    if number:
        more = number > MOST_UNLISTED
        words = counted(min(number, MOST_UNLISTED), "verification")
        verb = agreeing(number, "is", "are")
        echo(f"{'More than ' if more else ''}{words} {verb} not listed: --all-types", err=True)


@attendance.command("follow")
@as_json
@with_api
async def follow_(api: Api, as_json: bool) -> None:
    """Print new attendance records as they arrive, until interrupted.

    With --json, each line is one JSON object, without the name of the person. After a restart of
    the daemon the command resumes; each record is printed once.

    \b
    Example:
      zkpush attendance follow --json
    """
    show = print_json if as_json else _NamedTable(api).take

    def take(kind: str, record: Item) -> None:
        if kind == "attendance":
            show(record)

    try:
        await follow(api, "attendance", take)
    except CancelledError:
        return


class _NamedTable:
    """Table of new records with the names of the users, which are asked for at each arrival.

    Records that arrive while names are asked for are printed next, in order.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._table = ListTable(_COLUMNS)
        self._pending: list[Item] = []
        self._is_asking = False
        self._failure: Failure | None = None

    def take(self, record: Item) -> None:
        """Print a record soon; raise the exception of an earlier attempt to print."""
        if self._failure is not None:
            self._failure.raiseException()
        self._pending.append(record)
        if not self._is_asking:
            self._is_asking = True
            Deferred.fromCoroutine(self._print()).addErrback(self._failed)

    async def _print(self) -> None:
        while self._pending:
            records, self._pending = self._pending, []
            names = Names(self._api)
            with suppress(ApiFailure, Unreachable):  # without names then
                await names.look_up(record["pin"] for record in records)
            self._table.print([names.named(record) for record in records])
        self._is_asking = False

    def _failed(self, failure: Failure) -> None:
        self._failure = failure
