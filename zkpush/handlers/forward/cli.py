"""`zkpush forwarders`: where events go, and how far each receiver is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import click
import msgspec

from ...cli.arguments import as_json, pairs
from ...cli.confirming import confirm, yes
from ...cli.groups import OLDEST_FIRST, LeafCommand, ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object
from ...cli.records import ListForm, list_options, print_records
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant, zoned_instant
from ...counting import counted
from .chosen import find_forwarder, forwarder_name, id_of
from .letterscli import dead, discard, replay
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
    otherwise. `zkpush docs forwarder-kinds` explains the settings of each kind. The folder of the
    kind csv must exist on the server.

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
@forwarder_name
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
    await api.send("PATCH", "forwarders", await id_of(api, name), body=body)
    echo(f"The forwarder {name} is changed.")


@forwarders.command()
@forwarder_name
@as_json
@with_api
async def show(api: Api, name: str, as_json: bool) -> None:
    """Show a forwarder.

    \b
    Example:
      zkpush forwarders show payroll
    """
    print_object(await find_forwarder(api, name), as_json=as_json)


@forwarders.command(cls=ListCommand, order=OLDEST_FIRST)
@forwarder_name
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
        await id_of(api, name),
        "deliveries",
        form=form if form.selects else attrs.evolve(form, last=MOST_ATTEMPTS),
        columns=_ATTEMPTS,
        empty="No attempts found.",
    )


@forwarders.command()
@forwarder_name
@with_api
async def test(api: Api, name: str) -> None:
    """Send one signed sample event, and say what came back.

    \b
    Example:
      zkpush forwarders test payroll
    """
    found = await api.send("POST", "forwarders", await id_of(api, name), "test")
    if not found["delivered"]:
        raise click.ClickException(f"Not delivered. {found['words']}")
    echo(f"Delivered. {found['words']}")


@forwarders.command()
@forwarder_name
@with_api
async def pause(api: Api, name: str) -> None:
    """Pause a forwarder. Its events are kept.

    \b
    Example:
      zkpush forwarders pause payroll
    """
    await api.send("POST", "forwarders", await id_of(api, name), "pause")
    echo(f"The forwarder {name} is paused.")


@forwarders.command()
@forwarder_name
@with_api
async def resume(api: Api, name: str) -> None:
    """Resume a forwarder that is paused, stopped or failing, and try at once.

    \b
    Example:
      zkpush forwarders resume payroll
    """
    await api.send("POST", "forwarders", await id_of(api, name), "resume")
    echo(f"The forwarder {name} is resumed.")


@forwarders.command()
@forwarder_name
@with_api
async def rotate(api: Api, name: str) -> None:
    """Make a new signing secret, and print it. For a day, the old one signs as well.

    \b
    Example:
      zkpush forwarders rotate payroll
    """
    made = await api.send("POST", "forwarders", await id_of(api, name), "rotate")
    echo(
        f"The old secret is valid until {zoned_instant(made['old_until'])}; the new one:", err=True
    )
    echo(made["secret"])


for _command in (replay, dead, discard):
    forwarders.add_command(_command)


@forwarders.command()
@forwarder_name
@yes
@with_api
async def delete(api: Api, name: str, yes: bool) -> None:
    """Delete a forwarder, with its pending events and dead letters.

    Asks for confirmation on a console, unless --yes is given.

    \b
    Example:
      zkpush forwarders delete payroll
    """
    found = await find_forwarder(api, name)
    lost = (
        f"{counted(found['backlog'], 'pending event')} and {counted(found['dead'], 'dead letter')}"
    )
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
