"""`zkpush problems`: problems that need the attention of an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import click

from ..counting import agreeing
from ..enginewords import ENGINE_WORDS
from .arguments import as_json, of_device
from .groups import ListCommand, WordGroup
from .output import echo, print_csv, print_list
from .pasting import pasteable
from .replies import Item
from .running import with_api
from .tables import folded, printable, screen_width
from .times import shown_instant, with_local_times, zone_name, zoned_instant

if TYPE_CHECKING:
    from .client import Api

_MARGIN = "  "
_MOST_NAMED = 5
"""Most terminals that the line below the list names."""
_REFUSED = ("pending", "blocked")
"""States of terminals that are refused by an operator's decision, or until there is one."""


problems = WordGroup("problems", help=ENGINE_WORDS["problems"])


@problems.command(
    "list",
    cls=ListCommand,
    order="those of the server, then those of terminals, the first seen terminal first",
)
@of_device
@click.option("--code", metavar="CODE", help="Only of this kind, such as 'no zone'.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with all columns.")
@as_json
@with_api
async def list_(
    api: Api, device: str | None, code: str | None, as_csv: bool, as_json: bool
) -> None:
    """List the problems of the server and of terminals, with advice.

    `zkpush docs problems` explains every kind.

    \b
    Example:
      zkpush problems list --device 3434174801234
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    filters = {"device": device, "code": code}
    if as_csv:
        await print_csv(api, "problems", filters=filters)
        return
    pages = api.pages("problems", filters=filters)
    if as_json:
        await print_list(pages, (), as_json=True, empty="")
        return
    count = 0
    async for page in pages:
        for problem in page.items:
            count += 1
            echo(_shown(problem))
    # With the list, not beside it: it is not to be lost in a pipe.
    absent = await (_silent(api) if device is None else _about(api, device))
    for line in absent:
        echo("\n".join(folded(pasteable(line), screen_width())))
    is_any = count or absent
    told = [f"Times are in {zone_name()}."] if is_any else ["There are no problems."]
    if device is not None:
        told.append(f"`zkpush doctor {device}` checks more.")
    else:
        told += [words for state in _REFUSED if (words := await _in_state(api, state))]
        told.append("`zkpush doctor` checks the installation, and shows refused serial numbers.")
    echo("\n".join(folded(pasteable(" ".join(told)), screen_width())), err=True)


async def _in_state(api: Api, state: str) -> str | None:
    """Say how many terminals are in a state; None if there are none."""
    found = [one["sn"] async for one in _terminals(api, state)]
    if not found:
        return None
    are = agreeing(len(found), "terminal is", "terminals are")
    seen = f"`zkpush devices list --state {state}`"
    return f"{len(found)} {are} {state}, which is no problem: {_first(found)} ({seen})."


async def _silent(api: Api) -> list[str]:
    """Say which approved terminals are silent, if there are any."""
    found = [one async for one in _terminals(api, "approved") if one["silent"]]
    if not found:
        return []
    are = agreeing(len(found), "approved terminal is", "approved terminals are")
    names = _first([f"{one['sn']} ({_heard(one)})" for one in found])
    return [f"{len(found)} {are} silent: {names}; see `zkpush doctor {found[0]['sn']}`."]


async def _about(api: Api, sn: str) -> list[str]:
    """Say that a terminal is refused by its state or silent, if it is."""
    found = await api.get("devices", sn)
    if found["silent"]:
        return [f"It is silent: {_heard(found)}."]
    if found["state"] in _REFUSED:
        return [f"It is {found['state']}, and its requests are refused."]
    return []


async def _terminals(api: Api, state: str) -> AsyncIterator[Item]:
    """Iterate over the terminals in a state."""
    async for page in api.pages("devices", filters={"state": state}):
        for found in page.items:
            yield found


def _heard(device: Item) -> str:
    at = device["last_seen_at"]
    return "never connected" if at is None else f"last heard of at {zoned_instant(at)}"


def _first(names: Sequence[str]) -> str:
    """Join the first names, with the number of the others."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _shown(problem: Item) -> str:
    """Format a problem: what it is, what was seen, and what to do."""
    screen = screen_width()
    since = shown_instant(problem["since_at"])
    head = f"{problem['subject']}: {problem['code']}, since {since}"
    if problem.get("follows") is not None:  # one line: there is nothing to do about it
        clause = f"{head}: {problem['detail']} {problem['advice']}"
        return "\n".join(folded(printable(clause), screen))
    lines = folded(printable(head), screen)
    lines += folded(with_local_times(printable(problem["detail"])), screen, _MARGIN)
    if problem["advice"]:
        lines += folded(f"-> {printable(pasteable(problem['advice']))}", screen, _MARGIN)
    return "\n".join(lines)
