"""The argument NAME of commands for one forwarder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...cli import completion
from ...cli.replies import Item

if TYPE_CHECKING:
    from ...cli.client import Api

forwarder_name = click.argument(
    "name", metavar="NAME", shell_complete=completion.names_of("forwarders")
)


async def find_forwarder(api: Api, name: str) -> Item:
    """Return the forwarder of a name; raises `click.ClickException` if there is none."""
    async for page in api.pages("forwarders"):
        for item in page.items:
            if item["name"] == name:
                return item
    raise click.ClickException(f"There is no forwarder {name}. See zkpush forwarders list.")


async def id_of(api: Api, name: str) -> str:
    """Return the id of the forwarder of a name."""
    return str((await find_forwarder(api, name))["id"])
