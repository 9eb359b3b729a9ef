"""`zkpush problems`: problems that need the attention of an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..enginewords import ENGINE_WORDS
from .arguments import as_json, of_device
from .groups import ListCommand, WordGroup
from .output import echo, print_csv, print_list
from .replies import Item
from .running import with_api
from .tables import folded, printable, screen_width
from .times import shown_instant

if TYPE_CHECKING:
    from .client import Api

_MARGIN = "  "


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
    more = "`zkpush doctor` also shows pending and refused terminals."
    if device is not None:
        more = f"`zkpush doctor {device}` checks more."
    echo(more if count else f"There are no problems. {more}", err=True)


def _shown(problem: Item) -> str:
    """Format a problem: what it is, what was seen, and what to do."""
    screen = screen_width()
    since = shown_instant(problem["since_at"])
    head = f"{problem['subject']}: {problem['code']}, since {since}"
    lines = folded(printable(head), screen)
    lines += folded(printable(problem["detail"]), screen, _MARGIN)
    if problem["advice"]:
        lines += folded(f"-> {printable(problem['advice'])}", screen, _MARGIN)
    return "\n".join(lines)
