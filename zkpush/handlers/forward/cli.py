"""`zkpush forwarders`: where events go, and how far each receiver is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import click
import msgspec

from ...cli import completion
from ...cli.arguments import as_json, pairs
from ...cli.confirming import confirm, yes
from ...cli.groups import OLDEST_FIRST, LeafCommand, ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object
from ...cli.records import ListForm, list_options, print_records
from ...cli.replies import Item
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import TIME_FORMAT, point_in_time, shown_instant
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("Name", "name"),
    Column("Kind", "kind", is_spare=True),
    Column("State", "state"),
    Column("Backlog", "backlog"),
    Column("Oldest", "oldest_undelivered_at", shown_instant, is_spare=True),
    Column("Dead", "dead"),
    Column("Next try", "next_try_at", shown_instant, is_spare=True),
    Column("Last error", "last_error", is_below=True),
)
_DEAD = (
    Column("Event", "event", lambda event: event["id"]),
    Column("Type", "event", lambda event: event["type"]),
    Column("Stored", "event", lambda event: shown_instant(event["timestamp"])),
    Column("Given up", "parked_at", shown_instant, is_spare=True),
    Column("Reason", "reason", is_below=True),
)
_ATTEMPTS = (
    Column("Time", "at", shown_instant),
    Column("Batch", "batch", is_spare=True),
    Column("Events", "events"),
    Column("Outcome", "outcome", wraps=True),
    Column("ms", "milliseconds", is_spare=True),
    Column("Answer", "words", is_below=True),
)
MOST_ATTEMPTS = 20
"""Number of attempts that are listed without options."""
_name = click.argument("name", metavar="NAME", shell_complete=completion.names_of("forwarders"))
_url = click.option("--url", metavar="URL", help="Address of the receiver.")
_private = click.option(
    "--allow-private/--no-allow-private",
    "allow_private",
    default=None,
    help="Permit a receiver in a private network or on the server itself, and plain http.",
)
_set = click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    callback=pairs,
    help="A setting of the kind. Repeatable.",
)


def _ask(ctx: click.Context, param: click.Parameter, keys: tuple[str, ...]) -> dict[str, str]:
    """Ask for the values of settings, before the reactor runs: a prompt blocks."""
    if ctx.resilient_parsing:
        return {}
    return {key: click.prompt(key, hide_input=True, err=True) for key in keys}


_asked = click.option(
    "--ask",
    "asked",
    metavar="KEY",
    multiple=True,
    callback=_ask,
    help="Ask for a setting, such as a password, which others could see in a command. Repeatable.",
)
_events = click.option(
    "--event",
    "events",
    metavar="KIND",
    multiple=True,
    help="Kind of events to forward, such as attendance. Repeatable.",
)
_rules = click.option(
    "--rules",
    metavar="JSON",
    help="Which events it gets, and how they look, such as "
    '\'{"areas": ["North"], "doubt": "hold"}\'. `zkpush docs forwarding` explains all rules.',
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


class _Kinds(LeafCommand):
    """Command whose help ends with the kinds of forwarders and of events."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the installed kinds."""
        from .manual import event_kinds, in_brief

        with formatter.section("Kinds of forwarders (* marks a required setting)"):
            for line in in_brief():
                with formatter.indentation():
                    formatter.write_text(line)
        with formatter.section("Kinds of events"):
            formatter.write_text(", ".join(event_kinds()))
        super().format_epilog(ctx, formatter)


forwarders = WordGroup("forwarders", help=WORDS["forwarders"])


@forwarders.command("list", cls=ListCommand, order=OLDEST_FIRST)
@as_json
@with_api
async def list_(api: Api, as_json: bool) -> None:
    """List forwarders with their backlog and their last error.

    \b
    Example:
      zkpush forwarders list
    """
    await print_list(
        api.pages("forwarders"),
        _COLUMNS,
        as_json=as_json,
        empty="There are no forwarders. Add one: zkpush forwarders add NAME --url URL",
    )


@forwarders.command(cls=_Kinds)
@click.argument("name", metavar="NAME")
@click.option(
    "--kind", default="webhook", metavar="KIND", show_default=True, help="Kind of receiver."
)
@_url
@_private
@_set
@_asked
@_events
@_rules
@as_json
@with_api
async def add(
    api: Api,
    name: str,
    kind: str,
    url: str | None,
    allow_private: bool | None,
    settings: dict[str, str],
    asked: dict[str, str],
    events: tuple[str, ...],
    rules: str | None,
    as_json: bool,
) -> None:
    """Add a forwarder, and print its signing secret, which is not shown again.

    It forwards attendance records from now on, unless the kind, --event or --rules say
    otherwise. `zkpush docs forwarder-kinds` explains the settings of each kind.

    \b
    Examples:
      zkpush forwarders add payroll --url https://payroll.example.com/zkpush
      zkpush forwarders add files --kind csv --set folder=/srv/punches --event attendance
    """
    body: dict[str, Any] = {
        "name": name,
        "kind": kind,
        **_given(url, allow_private, settings, asked),
    }
    if events:
        body["events"] = list(events)
    if rules is not None:
        body["rules"] = _json(rules)
    made = await api.send("POST", "forwarders", body=body)
    if as_json:
        print_object(made, as_json=True)
        return
    if made["secret"] is None:
        echo(f"The forwarder {name} is added.")
    else:
        echo(f"Signing secret of {name}; it is not shown again:", err=True)
        echo(made["secret"])
    echo(f"Next: zkpush forwarders test {name}", err=True)


@forwarders.command("set", cls=_Kinds)
@_name
@_url
@_private
@_set
@_asked
@_events
@_rules
@with_api
async def set_(
    api: Api,
    name: str,
    url: str | None,
    allow_private: bool | None,
    settings: dict[str, str],
    asked: dict[str, str],
    events: tuple[str, ...],
    rules: str | None,
) -> None:
    """Change the settings, events or rules of a forwarder.

    \b
    Example:
      zkpush forwarders set payroll --event attendance --event user
    """
    body = _given(url, allow_private, settings, asked)
    if events:
        body["events"] = list(events)
    if rules is not None:
        body["rules"] = _json(rules)
    if not body:
        raise click.UsageError("Say what to change: --url, --set, --ask, --event or --rules.")
    await api.send("PATCH", "forwarders", await _id(api, name), body=body)
    echo(f"The forwarder {name} is changed.")


@forwarders.command()
@_name
@as_json
@with_api
async def show(api: Api, name: str, as_json: bool) -> None:
    """Show a forwarder.

    \b
    Example:
      zkpush forwarders show payroll
    """
    print_object(await _find(api, name), as_json=as_json)


@forwarders.command(cls=ListCommand, order=OLDEST_FIRST)
@_name
@partial(list_options, has_csv=False)
@with_api
async def deliveries(api: Api, name: str, form: ListForm) -> None:
    """List attempts to deliver; without options, the newest 20.

    \b
    Example:
      zkpush forwarders deliveries payroll --last 5
    """
    await print_records(
        api,
        "forwarders",
        await _id(api, name),
        "deliveries",
        form=form if form.selects else attrs.evolve(form, last=MOST_ATTEMPTS),
        columns=_ATTEMPTS,
        empty="No attempts found.",
    )


@forwarders.command()
@_name
@with_api
async def test(api: Api, name: str) -> None:
    """Send one signed sample event, and say what came back.

    \b
    Example:
      zkpush forwarders test payroll
    """
    found = await api.send("POST", "forwarders", await _id(api, name), "test")
    if not found["delivered"]:
        raise click.ClickException(f"Not delivered. {found['words']}")
    echo(f"Delivered. {found['words']}")


@forwarders.command()
@_name
@with_api
async def pause(api: Api, name: str) -> None:
    """Pause a forwarder. Its events are kept.

    \b
    Example:
      zkpush forwarders pause payroll
    """
    await api.send("POST", "forwarders", await _id(api, name), "pause")
    echo(f"The forwarder {name} is paused.")


@forwarders.command()
@_name
@with_api
async def resume(api: Api, name: str) -> None:
    """Resume a forwarder that is paused, stopped or failing, and try at once.

    \b
    Example:
      zkpush forwarders resume payroll
    """
    await api.send("POST", "forwarders", await _id(api, name), "resume")
    echo(f"The forwarder {name} is resumed.")


@forwarders.command()
@_name
@with_api
async def rotate(api: Api, name: str) -> None:
    """Make a new signing secret, and print it. For a day, the old one signs as well.

    \b
    Example:
      zkpush forwarders rotate payroll
    """
    made = await api.send("POST", "forwarders", await _id(api, name), "rotate")
    echo(
        f"The old secret is valid until {shown_instant(made['old_until'])}; the new one:", err=True
    )
    echo(made["secret"])


@forwarders.command()
@_name
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
        "POST", "forwarders", await _id(api, name), "replay", body={**body, "dry_run": dry_run}
    )
    if cancel:
        echo("The replay is cancelled.")
        return
    count = f"{done['queued']} events" if done["is_exact"] else f"At most {done['queued']} events"
    echo(f"{count} {'would be' if dry_run else 'are'} sent again.")


@forwarders.command(cls=ListCommand, order=OLDEST_FIRST)
@_name
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
        await _id(api, name),
        "dead",
        form=form,
        columns=_DEAD,
        empty="There are no such dead letters.",
    )


@forwarders.command()
@_name
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
    path = ("forwarders", await _id(api, name), "discard")
    found = await api.send("POST", *path, body={**body, "dry_run": True})
    if dry_run:
        echo(f"{found['discarded']} dead letters would be discarded.")
        return
    confirm(f"{name} never gets {found['discarded']} events. Discard them?", yes=yes)
    done = await api.send("POST", *path, body=body)
    echo(f"{done['discarded']} dead letters are discarded.")


@forwarders.command()
@_name
@yes
@with_api
async def delete(api: Api, name: str, yes: bool) -> None:
    """Delete a forwarder, with its pending events and dead letters.

    Asks for confirmation on a console, unless --yes is given.

    \b
    Example:
      zkpush forwarders delete payroll
    """
    found = await _find(api, name)
    lost = f"{found['backlog']} pending events and {found['dead']} dead letters"
    confirm(f"{name} has {lost}, which are lost for it. Delete it?", yes=yes)
    await api.send("DELETE", "forwarders", str(found["id"]))
    echo(f"The forwarder {name} is deleted.")


def _given(
    url: str | None,
    allow_private: bool | None,
    settings: dict[str, str],
    asked: dict[str, str],
) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if url is not None:
        body["url"] = url
    if allow_private is not None:
        body["allow_private"] = allow_private
    if settings or asked:
        body["settings"] = {key: _value(text) for key, text in settings.items()} | asked
    return body


def _value(text: str) -> object:
    """Read a value: JSON where it is JSON, else the text itself."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _json(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"--rules is not JSON: {error}") from None


async def _find(api: Api, name: str) -> Item:
    async for page in api.pages("forwarders"):
        for item in page.items:
            if item["name"] == name:
                return item
    raise click.ClickException(f"There is no forwarder {name}. See zkpush forwarders list.")


async def _id(api: Api, name: str) -> str:
    return str((await _find(api, name))["id"])
