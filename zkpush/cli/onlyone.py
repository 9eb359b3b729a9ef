"""The number of something that a command is about, left out where there is exactly one of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from .output import echo
from .replies import Item

if TYPE_CHECKING:
    from .client import Api

_MOST_LISTED = 10
"""Most of them that an error lists."""


async def number_of(
    api: Api, number: int | None, noun: str, *path: str, words_of: Callable[[Item], str]
) -> int:
    """Return a number, or that of the only item of a list, which is said on stderr.

    `noun` is what the list has, in the singular; `words_of` describes an item. Without an item,
    that is a failure; with several, a usage error that lists them.
    """
    if number is not None:
        return number
    found: list[Item] = []
    async for page in api.pages(*path, limit=_MOST_LISTED + 1, filters={"order": "desc"}):
        found += page.items
        if len(found) > _MOST_LISTED:
            break
    if not found:
        raise click.ClickException(f"There is no {noun}.")
    if len(found) == 1:
        (one,) = found
        echo(f"The only {noun} is {one['id']}: {words_of(one)}.", err=True)
        return int(one["id"])
    lines = [f"  {one['id']}: {words_of(one)}" for one in found[:_MOST_LISTED]]
    more = ["  and others"] if len(found) > _MOST_LISTED else []
    there_are = f"There are several, the newest first. Give the ID of one {noun}:"
    raise click.UsageError("\n".join([there_are, *lines, *more]))
