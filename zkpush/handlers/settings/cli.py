"""`zkpush settings`: the settings in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click
import msgspec

from ...cli.arguments import as_json
from ...cli.groups import ListCommand, WordGroup
from ...cli.output import print_list
from ...cli.replies import Item, ListPage
from ...cli.running import with_api
from ...cli.tables import Column, printable
from .words import WORDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ...cli.client import Api

NOT_SET = frozenset({"default", "machine"})
"""Origins of settings that nobody has set."""


class _Value(Column):
    """A value, as JSON; secret ones are not shown."""

    def text(self, item: Item) -> str:
        """Return the text of the cell."""
        value = item[self.key]
        if item["secret"]:
            return "(secret)"
        return "-" if value is None else printable(msgspec.json.encode(value).decode())


_COLUMNS = (
    Column("Setting", "key"),
    _Value("Value", "value", wraps=True),
    Column("From", "origin", lambda origin: origin.replace("_", " ")),
    _Value("Default", "default", wraps=True, is_spare=True),
    Column("Meaning", "meaning", is_below=True),
)

settings = WordGroup("settings", help=WORDS["settings"])


@settings.command("list", cls=ListCommand, order="as in the manual")
@click.option("--all", "is_all", is_flag=True, help="Also settings that have their defaults.")
@as_json
@with_api
async def list_(api: Api, is_all: bool, as_json: bool) -> None:
    """List the settings in force that somebody has set, and where: file, command line, environment.

    Secret values are not shown. `zkpush docs configuration` explains all settings.

    \b
    Examples:
      zkpush settings list
      zkpush settings list --all --json
    """

    async def chosen() -> AsyncIterator[ListPage]:
        async for page in api.pages("settings"):
            items = [one for one in page.items if is_all or one["origin"] not in NOT_SET]
            yield attrs.evolve(page, items=items)

    await print_list(
        chosen(),
        _COLUMNS,
        as_json=as_json,
        empty="Nothing is set: every setting is the default. See all: zkpush settings list --all",
    )
