"""Names of people beside their user IDs, in tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs

from ..folding import fold
from .output import echo
from .replies import ApiFailure, Item, ListPage

if TYPE_CHECKING:
    from .client import Api

MOST_NAMES = 200
"""Number of users whose names are asked for at once."""


class Names:
    """Names of users that were asked for, and who had their user IDs before."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._names: dict[str, str | None] = {}
        self._earlier: dict[str, list[tuple[str, str | None]]] = {}
        """Until when somebody had a user ID, and the name, by user ID."""

    async def look_up(self, pins: Iterable[str]) -> None:
        """Ask for the names of users that are not known yet."""
        wanted = sorted({pin for pin in pins if pin and "," not in pin} - self._names.keys())
        for start in range(0, len(wanted), MOST_NAMES):
            part = wanted[start : start + MOST_NAMES]
            found = await self._api.get("names", query={"pins": ",".join(part)})
            self._names |= {pin: found["names"].get(pin, "") for pin in part}
            for one in found.get("earlier", ()):
                self._earlier.setdefault(one["pin"], []).append((one["until"], one["name"]))

    def named(self, item: Item, key: str = "pin") -> Item:
        """Return a record with the name of whose it is; empty for a user without one."""
        pin = item[key]
        at = item.get("utc") or item.get("received_at")
        for until, name in self._earlier.get(pin, ()):
            if at and datetime.fromisoformat(at) < datetime.fromisoformat(until):
                return {**item, "name": name or ""}
        return {**item, "name": self._names.get(pin)}


async def with_names(
    api: Api, pages: AsyncIterator[ListPage], key: str = "pin"
) -> AsyncIterator[ListPage]:
    """Add to each item, as `name`, the name of the user whose ID it has under a key."""
    names = Names(api)
    async for page in pages:
        await names.look_up(item[key] for item in page.items)
        yield attrs.evolve(page, items=[names.named(item, key) for item in page.items])


ERASED = ""
"""Name of a former holder of a user ID who is erased."""
NOBODY = "\0"
"""Name of the holder of a user ID that only stored punches have."""


async def former_name(api: Api, pin: str) -> str | None:
    """Return the name of somebody who left and had a user ID, or else the ID.

    Returns `ERASED` for somebody who is erased, `NOBODY` if nobody had it but punches are stored,
    and None for an unused ID and for one that somebody has.
    """
    found = await api.get("names", query={"pins": pin})
    if pin in found.get("erased", ()):
        return ERASED
    if pin in found.get("left", ()):
        return str(found["names"].get(pin, pin))
    return NOBODY if await _has_only_punches(api, pin) else None


async def _has_only_punches(api: Api, pin: str) -> bool:
    try:
        await api.get("users", pin)
    except ApiFailure as failure:
        if failure.status != HTTPStatus.NOT_FOUND:
            return False
    else:
        return False
    try:
        punches = await api.get("attendance", query={"pin": pin, "limit": "1"})
    except ApiFailure:  # without punches, the user ID is not known at all
        return False
    return bool(punches["items"])


def note_reuse(pin: str, name: str | None, former: str | None) -> None:
    """Say whose the punches are if a new person got a user ID that was not unused."""
    if former == ERASED:
        echo(
            f"The user ID {pin} was that of a person who is erased: punches that are stored under "
            "it stay without a name; only those from now on are of the new person.",
            err=True,
        )
        return
    if former == NOBODY:
        echo(
            f"Punches are stored under the user ID {pin}, which nobody had here: they are the new "
            "person's now.",
            err=True,
        )
        return
    if former is not None and fold(former) != fold(name or pin):
        echo(
            f"The user ID {pin} was that of {former}, who left: the punches so far stay that "
            "person's; only those from now on are of the new person.",
            err=True,
        )
