"""`zkpush forwarders replay`, `dead` and `discard`: events that are sent again, or never."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ...cli.confirming import confirm, yes
from ...cli.groups import OLDEST_FIRST, LeafCommand, ListCommand
from ...cli.output import echo
from ...cli.records import ListForm, list_options, print_records
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import TIME_FORMAT, point_in_time, shown_instant
from ...counting import agreeing, counted
from .chosen import forwarder_name, id_of

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("Event", "event", lambda event: event["id"]),
    Column("Type", "event", lambda event: event["type"]),
    Column("Stored", "event", lambda event: shown_instant(event["timestamp"]), is_instant=True),
    Column("Given up", "parked_at", shown_instant, is_spare=True),
    Column("Reason", "reason", is_below=True),
)
_since = click.option(
    "--since",
    metavar="TIME",
    callback=point_in_time,
    help=f"Events stored from this time on. {TIME_FORMAT}",
)
_until = click.option(
    "--until",
    metavar="TIME",
    callback=point_in_time,
    help=f"Events stored before this time. {TIME_FORMAT}",
)
_ids = click.option(
    "--id", "ids", metavar="EVENT", multiple=True, help="The dead letter of this event. Repeatable."
)


@click.command(cls=LeafCommand)
@forwarder_name
@_since
@_until
@click.option("--dead", "is_dead", is_flag=True, help="Only dead letters.")
@_ids
@click.option("--dry-run", is_flag=True, help="Send nothing; say how many events there are.")
@click.option("--cancel", is_flag=True, help="End a replay that is going on.")
@with_api
async def replay(
    api: Api,
    name: str,
    since: str | None,
    until: str | None,
    is_dead: bool,
    ids: tuple[str, ...],
    dry_run: bool,
    cancel: bool,
) -> None:
    """Send events again: those of a period, or dead letters after their cause was mended.

    Events have the ids that they had, so that a receiver can ignore those that it knows. Their data
    is that of the records as they are now, and the rules of the forwarder apply as they are now.
    Dead letters that the rules leave out stay.

    \b
    Examples:
      zkpush forwarders replay payroll --since 2026-03-01 --until 2026-03-02 --dry-run
      zkpush forwarders replay payroll --dead
    """
    given = {
        "since": since,
        "until": until,
        "dead": is_dead or None,
        "ids": list(ids) or None,
        "cancel": cancel or None,
    }
    body: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise click.UsageError("Say what to send again: --since, --until, --dead or --id.")
    done = await api.send(
        "POST", "forwarders", await id_of(api, name), "replay", body={**body, "dry_run": dry_run}
    )
    if cancel:
        echo("The replay is cancelled.")
        return
    number = done["queued"]
    count = f"{'' if done['is_exact'] else 'At most '}{counted(number, 'event')}"
    echo(f"{count} {'would be' if dry_run else agreeing(number, 'is', 'are')} sent again.")


@click.command(cls=ListCommand, order=OLDEST_FIRST)
@forwarder_name
@partial(list_options, has_csv=False)
@with_api
async def dead(api: Api, name: str, form: ListForm) -> None:
    """List dead letters: events that the receiver did not take.

    \b
    Example:
      zkpush forwarders dead payroll
    """
    await print_records(
        api,
        "forwarders",
        await id_of(api, name),
        "dead",
        form=form,
        columns=_COLUMNS,
        empty="No dead letters found.",
    )


@click.command(cls=LeafCommand)
@forwarder_name
@_since
@_until
@click.option("--all", "is_all", is_flag=True, help="All dead letters.")
@_ids
@click.option("--dry-run", is_flag=True, help="Discard nothing; say how many there are.")
@yes
@with_api
async def discard(
    api: Api,
    name: str,
    since: str | None,
    until: str | None,
    is_all: bool,
    ids: tuple[str, ...],
    dry_run: bool,
    yes: bool,
) -> None:
    """Discard dead letters: the receiver never gets these events. Records stay stored.

    Asks for confirmation on a console, unless --yes is given.

    \b
    Examples:
      zkpush forwarders discard payroll --id rec_17
      zkpush forwarders discard payroll --all
    """
    given = {"since": since, "until": until, "all": is_all or None, "ids": list(ids) or None}
    body: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise click.UsageError("Say what to discard: --all, --id, --since or --until.")
    path = ("forwarders", await id_of(api, name), "discard")
    found = await api.send("POST", *path, body={**body, "dry_run": True})
    if dry_run:
        echo(f"{counted(found['discarded'], 'dead letter')} would be discarded.")
        return
    events = counted(found["discarded"], "event")
    confirm(
        f"{name} never gets {events}. Discard {agreeing(found['discarded'], 'it', 'them')}?",
        yes=yes,
    )
    done = await api.send("POST", *path, body=body)
    echo(f"{counted(done['discarded'], 'dead letter is', 'dead letters are')} discarded.")
