"""Who is where: `zkpush users places`, `zkpush devices users` and `zkpush devices repair`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...cli.arguments import as_json, first, serial
from ...cli.groups import LeafCommand, ListCommand
from ...cli.output import echo, print_list
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from ...model import DEFAULT_AREA
from .distributing import must_distribute

if TYPE_CHECKING:
    from ...cli.client import Api

_STATE = (
    Column("State", "state", lambda state: state.replace("_", " ")),
    Column("Meaning", "meaning", wraps=True),
    Column("Since", "updated_at", shown_instant, is_spare=True),
)


@click.command(cls=ListCommand, order="by serial number")
@click.argument("pin", metavar="PIN")
@as_json
@with_api
async def places(api: Api, pin: str, as_json: bool) -> None:
    """List the terminals where the user PIN is, or is to be.

    \b
    Example:
      zkpush users places 7
    """
    await print_list(
        api.pages("users", pin, "places"),
        (Column("Terminal", "device"), *_STATE),
        as_json=as_json,
        empty=f"No terminal has user {pin}.",
    )


@click.command(cls=ListCommand, order="the first seen first")
@serial
@first
@as_json
@with_api
async def users(api: Api, sn: str, limit: int | None, as_json: bool) -> None:
    """List the users on a terminal, and those who are to be there.

    \b
    Example:
      zkpush devices users 3434174801234
    """
    await print_list(
        api.pages("devices", sn, "users", limit=limit),
        (Column("PIN", "pin"), *_STATE),
        as_json=as_json,
        empty=f"No user of {sn} is known.",
    )


@click.command(cls=LeafCommand)
@serial
@with_api
async def repair(api: Api, sn: str) -> None:
    """Compare the users on a terminal anew, and ask it for what it holds.

    What it has lost, refused or not answered is sent again. The area of the terminal must
    distribute.

    \b
    Example:
      zkpush devices repair 3434174801234
    """
    await must_distribute(api, (await api.get("devices", sn))["area"] or DEFAULT_AREA)
    await api.send("POST", "devices", sn, "repair")
    echo(f"The users of {sn} are compared. Next: zkpush devices users {sn}")
