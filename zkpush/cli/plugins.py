"""`zkpush plugins`: installed plugins, their state, and their pending uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .arguments import as_json
from .output import Column, print_list
from .running import with_api

if TYPE_CHECKING:
    from .client import Api

_COLUMNS = (
    Column("Plugin", "name"),
    Column("Kind", "kind"),
    Column("Package", "package"),
    Column("Version", "version"),
    Column("State", "state"),
    Column("Waiting", "waiting"),
    Column("Oldest", "oldest_at"),
    Column("Last error", "last_error"),
)


@click.group()
def plugins() -> None:
    """List the plugins of the server."""


@plugins.command("list")
@as_json
@with_api
async def list_(api: Api, as_json: bool) -> None:
    """List plugins with their state and their number of pending uploads."""
    await print_list(api.pages("plugins"), _COLUMNS, as_json=as_json, empty="There are no plugins.")
