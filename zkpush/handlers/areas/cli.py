"""`zkpush areas`: groups of terminals and people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...cli.arguments import as_json
from ...cli.confirming import confirm, yes
from ...cli.groups import ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object
from ...cli.running import with_api
from ...cli.tables import Column
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
_name = click.argument("name", metavar="NAME")


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
@click.option("--description", metavar="TEXT", default="", help="What the area is, for people.")
@as_json
@with_api
async def put(api: Api, name: str, description: str, as_json: bool) -> None:
    """Add the area NAME, or change its description.

    Terminals join with `zkpush devices set SN area=NAME`, people with `zkpush users put PIN
    areas=NAME`.

    \b
    Example:
      zkpush areas put North --description 'Factory and gate'
    """
    area = await api.send("PUT", "areas", name, body={"description": description or None})
    if as_json:
        print_object(area, as_json=True)
        return
    echo(f"Area {name} is stored: {area['devices']} terminals, {area['users']} people.")


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
