"""`zkpush devices trace`: the last requests of a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Never

import attrs
import click
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater

from ...cli.arguments import as_json, serial
from ...cli.groups import OLDEST_FIRST, ListCommand
from ...cli.output import echo, print_json, print_list
from ...cli.replies import Item, ListPage
from ...cli.running import with_api
from ...cli.tables import Column, ListTable
from ...cli.times import shown_instant

if TYPE_CHECKING:
    from ...cli.client import Api

PAUSE = 1.0
"""Seconds between polls with `--follow`."""
_COLUMNS = (
    Column("Time", "at", shown_instant),
    Column("Times", "count", is_spare=True),
    Column("Method", "method", is_spare=True),
    Column("Path", "path", wraps=True),
    Column("Table", "table"),
    Column("Status", "status", is_spare=True),
    Column("Bytes", "request_bytes", is_spare=True),
    Column("Served", "served"),
    Column("From", "address"),
    Column("Understood as", "understood", wraps=True, is_spare=True),
    Column("Answer", "answered", wraps=True),
)


@click.command(cls=ListCommand, order=OLDEST_FIRST)
@serial
@click.option("--follow", is_flag=True, help="Go on, and print requests as they come.")
@as_json
@with_api
async def trace(api: Api, sn: str, follow: bool, as_json: bool) -> None:
    """Show the last requests of a terminal, and what was answered.

    Equal requests in a row are one line with their number. Tokens, keys and
    records are not shown. With --follow and --json, each line is a JSON object.

    \b
    Example:
      zkpush devices trace 3434174801234 --follow
    """
    if follow:
        with suppress(CancelledError):
            await _follow(api, sn, as_json=as_json)
        return
    pages = api.pages("devices", sn, "trace")
    await print_list(
        pages if as_json else _in_words(pages),
        _COLUMNS,
        as_json=as_json,
        empty=f"No request of {sn} is known. Check the server address and port in its menu.",
    )
    if not as_json:
        echo(f"Next: zkpush doctor {sn}")


async def _follow(api: Api, sn: str, *, as_json: bool) -> Never:
    """Print requests as they arrive; repeated ones again, with the number of new ones."""
    known: dict[str, int] = {}
    table = ListTable(_COLUMNS)
    while True:
        async for page in api.pages("devices", sn, "trace"):
            news = [_news(item, known) for item in page.items if _is_news(item, known)]
            known = {item["id"]: item["count"] for item in page.items}
            if as_json:
                for item in news:
                    print_json(item)
            elif news:
                table.print([*map(_with_refusal, news)])
        await deferLater(api.clock, PAUSE)


async def _in_words(pages: AsyncIterator[ListPage]) -> AsyncIterator[ListPage]:
    async for page in pages:
        yield attrs.evolve(page, items=[*map(_with_refusal, page.items)])


def _with_refusal(item: Item) -> Item:
    """Return a request, which is understood as a refusal if it was refused before it was read."""
    if item["understood"] is not None or item["served"]:
        return item
    return {**item, "understood": f"refused: {item['answered'].removesuffix('.')}"}


def _is_news(item: Item, known: Mapping[str, int]) -> bool:
    return bool(known.get(item["id"], 0) < item["count"])


def _news(item: Item, known: Mapping[str, int]) -> Item:
    return {**item, "count": item["count"] - known.get(item["id"], 0)}
