"""`zkpush users send`: one person for chosen terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...cli import completion
from ...cli.arguments import as_json
from ...cli.groups import LeafCommand
from ...cli.output import echo, print_object
from ...cli.running import with_api
from ...counting import agreeing, counted

if TYPE_CHECKING:
    from ...cli.client import Api


@click.command(cls=LeafCommand)
@click.argument("pin", metavar="PIN")
@click.option(
    "--to",
    "devices",
    metavar="SN",
    multiple=True,
    shell_complete=completion.serial_numbers,
    help="Serial number of a terminal that is to have the user. Repeatable.",
)
@click.option("--area", metavar="NAME", help="All approved terminals of this area.")
@click.option("--all", "to_all", is_flag=True, help="All approved terminals.")
@click.option("--dry-run", is_flag=True, help="Report only; change nothing.")
@as_json
@with_api
async def send(
    api: Api,
    pin: str,
    devices: tuple[str, ...],
    area: str | None,
    to_all: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send the user PIN to terminals.

    The user is sent once, with templates and photos, as far as they fit, with a low priority.
    Nobody else is sent or deleted. A terminal whose area distributes takes only users of that area.

    \b
    Examples:
      zkpush users send 7 --to 3434174801234 --to 3434174805678
      zkpush users send 7 --all --dry-run
    """
    if sum((bool(devices), area is not None, to_all)) != 1:
        raise click.UsageError("Name terminals with --to, or give --area or --all.")
    body: dict[str, Any] = {"dry_run": dry_run}
    if devices:
        body["devices"] = devices
    elif area is not None:
        body["area"] = area
    else:
        body["all"] = True
    found = await api.send("POST", "users", pin, "send", body=body)
    if as_json:
        print_object(found, as_json=True)
        return
    lines = [line for one in found["items"] for line in _lines(one, dry_run=dry_run)]
    states = {one["state"] for one in found["items"]}
    if states == {"not_sent"}:
        raise click.ClickException("\n".join([f"User {pin} is sent to no terminal.", *lines]))
    for line in lines:
        echo(line)
    if "sent" in states and not dry_run:
        echo(f"Next: zkpush users places {pin}")


def _lines(one: dict[str, Any], *, dry_run: bool) -> list[str]:
    """Say what happens at a terminal, and what does not fit."""
    misfits = [f"  {each['part']}: {each['meaning']}" for each in one["does_not_fit"]]
    return [f"{one['device']}: {_words(one, dry_run=dry_run)}", *misfits]


def _words(one: dict[str, Any], *, dry_run: bool) -> str:
    match one["state"]:
        case "sent":
            commands = one["commands"]
            verb = "would be" if dry_run else agreeing(commands, "is", "are")
            return f"{counted(commands, 'command')} {verb} sent."
        case "there":
            return "The terminal has the user already."
    return str(one["meaning"] or "Nothing is sent.")
