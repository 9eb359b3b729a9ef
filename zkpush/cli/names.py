"""Names of people beside their user IDs, in tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

import attrs

from .replies import ListPage

if TYPE_CHECKING:
    from .client import Api

MOST_NAMES = 200
"""Number of users whose names are asked for at once."""


async def look_up(api: Api, names: dict[str, str], pins: Iterable[str]) -> None:
    """Add the names of users that are not known yet; an empty name for a user without one."""
    wanted = sorted({pin for pin in pins if pin and "," not in pin} - names.keys())
    for start in range(0, len(wanted), MOST_NAMES):
        part = wanted[start : start + MOST_NAMES]
        found = await api.get("names", query={"pins": ",".join(part)})
        names.update({pin: found["names"].get(pin, "") for pin in part})


async def with_names(
    api: Api, pages: AsyncIterator[ListPage], key: str = "pin"
) -> AsyncIterator[ListPage]:
    """Add to each item, as `name`, the name of the user whose ID it has under a key."""
    names: dict[str, str] = {}
    async for page in pages:
        await look_up(api, names, (item[key] for item in page.items))
        items = [{**item, "name": names.get(item[key])} for item in page.items]
        yield attrs.evolve(page, items=items)
