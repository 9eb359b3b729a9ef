"""`zkpush areas`: groups of terminals and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...cli import completion
from ...cli.arguments import as_json
from ...cli.confirming import confirm, yes
from ...cli.groups import ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from ...counting import counted, counted_people
from .distributing import must_distribute
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("Area", "name", wraps=True),
    Column("Description", "description", wraps=True),
    Column("Distributes", "distributes"),
    Column("Terminals", "devices"),
    Column("People", "users"),
)
_DRIFT = (
    Column("Terminal", "device"),
    Column("Differs", "differs", wraps=True),
    Column("Since", "since", shown_instant, is_spare=True),
    Column("Checked", "checked_at", shown_instant),
    Column("Lost", "lost"),
    Column("Templates lost", "lost_templates"),
    Column("Found", "found"),
    Column("No packages", "no_packages", wraps=True, is_spare=True),
    Column("Reason", "reason", wraps=True, is_spare=True),
)
_name = click.argument("name", metavar="NAME", shell_complete=completion.names_of("areas"))


areas = WordGroup("areas", help=WORDS["areas"])


@areas.command("list", cls=ListCommand, order="by name")
@as_json
@with_api
async def list_(api: Api, as_json: bool) -> None:
    """List all areas, with the numbers of their terminals and people.

    An area exists once a terminal or a person belongs to it, or once it is described.

    \b
    Example:
      zkpush areas list
    """
    await print_list(api.pages("areas"), _COLUMNS, as_json=as_json, empty="There are no areas.")


@areas.command()
@_name
@as_json
@with_api
async def show(api: Api, name: str, as_json: bool) -> None:
    """Show the area NAME.

    \b
    Example:
      zkpush areas show North
    """
    print_object(await api.get("areas", name), as_json=as_json)


@areas.command()
@_name
@click.option("--description", metavar="TEXT", help="What the area is, for people.")
@click.option(
    "--distribute/--no-distribute",
    "distributes",
    default=None,
    help="Put its people on all its terminals, and delete others there.",
)
@click.option(
    "--confirm",
    "number",
    type=click.IntRange(min=0),
    metavar="N",
    help="Number of people who may be deleted from terminals.",
)
@yes
@as_json
@with_api
async def put(
    api: Api,
    name: str,
    description: str | None,
    distributes: bool | None,
    number: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Add the area NAME, or change it.

    Terminals join with `zkpush devices set SN area=NAME`, people with `zkpush users put PIN
    areas=NAME`. With --distribute, the people of the area are put on all its terminals, and people
    who are not in the area are deleted there. The command says what that means: it asks first if
    nobody is deleted. Else it needs --confirm with the number of people to delete from terminals.

    \b
    Examples:
      zkpush areas put North --description 'Factory and gate'
      zkpush areas put North --distribute
    """
    body: dict[str, object] = {}
    if description is not None:
        body["description"] = description or None
    if distributes is not None:
        body["distributes"] = distributes
    query = {} if number is None else {"confirm": str(number)}
    if distributes and number is None:
        await api.send("PUT", "areas", name, body={})
        effect = await api.get("areas", name, "distribution")
        if not effect["deletions"]:
            echo(effect_text(effect), err=True)
            confirm(f"Distribute the people of {name}?", yes=yes)
    area = await api.send("PUT", "areas", name, body=body, query=query)
    if as_json:
        print_object(area, as_json=True)
        return
    if area["consequences"] and number is not None:
        echo(effect_text(area["consequences"]), err=True)
    echo(
        f"Area {name} is stored: {counted(area['devices'], 'terminal')}, "
        f"{counted_people(area['users'])}."
    )
    if area["distributes"]:
        echo(f"Its people are on their way to its terminals. Next: zkpush areas progress {name}")


def effect_text(effect: dict[str, Any]) -> str:
    """Say what it means that an area begins to distribute."""
    said = [
        f"{counted_people(effect['people'])} on "
        f"{counted(effect['devices'], 'approved terminal')}: at most "
        f"{counted(effect['commands'], 'command')}. {_deleted(effect)}"
    ]
    if number := effect["unconfirmed"]:
        said.append(f"Stated by terminals only, and coming to all: {counted_people(number)}.")
    if number := effect["privileged"]:
        said.append(
            f"With rights that only a terminal has given, which stay there: "
            f"{counted_people(number)}."
        )
    if number := effect["with_passwords"]:
        said.append(
            "With a password that only a terminal has stated, which opens at all these terminals: "
            f"{counted_people(number)}."
        )
    if number := effect["of_terminals"]:
        said.append(_names(effect["named"], number))
    said.append(
        "A person whom a terminal of the area states later is sent to all its terminals, too."
    )
    if number := effect["unfetched"]:
        said.append(
            f"The terminals count {counted_people(number)} more than are fetched: known people of "
            "other areas are deleted there, and unknown people come into the area."
        )
    return "\n".join(said)


def _deleted(effect: dict[str, Any]) -> str:
    number = effect["deletions"]
    if not number:
        return "Nobody is deleted."
    named = [
        f"{one['name'] or '-'} ({one['pin']}) from {one['deleted_from']}"
        for one in effect["named"]
        if one["deleted_from"]
    ]
    more = f" and {number - len(named)} more" if number > len(named) else ""
    return f"Deleted from terminals: {', '.join(named)}{more}."


def _names(named: list[dict[str, Any]], number: int) -> str:
    shown = [f"{one['name'] or '-'} ({one['pin']})" for one in named if not one["deleted_from"]]
    more = f" and {number - len(shown)} more" if number > len(shown) else ""
    return f"These are {', '.join(shown)}{more}."


@areas.command()
@_name
@as_json
@with_api
async def progress(api: Api, name: str, as_json: bool) -> None:
    """Show the progress of putting the people of the area NAME on its terminals.

    Parts are the fields, the templates and the photos of a person on a terminal.

    \b
    Example:
      zkpush areas progress North
    """
    print_object(await api.get("areas", name, "distribution"), as_json=as_json)


@areas.command(cls=ListCommand, order="by serial number")
@_name
@as_json
@with_api
async def drift(api: Api, name: str, as_json: bool) -> None:
    """Compare what the terminals of the area NAME count with what is recorded.

    "Lost" counts people and templates that a terminal did not have any more when it was last asked,
    and "Found" people whom it had and who were not recorded. People are usually sent in packages,
    many in one file; "No packages" says why a terminal is sent them one by one.

    \b
    Example:
      zkpush areas drift North
    """
    await print_list(
        api.pages("areas", name, "drift"),
        _DRIFT,
        as_json=as_json,
        empty=f"The area {name} has no approved terminals.",
    )


@areas.command()
@_name
@with_api
async def repair(api: Api, name: str) -> None:
    """Compare the people on all terminals of the area NAME anew.

    Each terminal, one after the other, is asked for what it holds. What it has lost, refused or not
    answered is sent again. The area must distribute.

    \b
    Example:
      zkpush areas repair North
    """
    await must_distribute(api, name)
    await api.send("POST", "areas", name, "repair")
    echo(f"The terminals of {name} are compared. Next: zkpush areas progress {name}")


@areas.command()
@_name
@yes
@with_api
async def delete(api: Api, name: str, yes: bool) -> None:
    """Delete the area NAME, which must have no terminals. Its people stay, without this area.

    \b
    Example:
      zkpush areas delete North
    """
    confirm(f"Delete area {name}?", yes=yes)
    await api.send("DELETE", "areas", name)
    echo(f"Area {name} is deleted.")
