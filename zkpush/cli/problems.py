"""`zkpush problems`: problems that need the attention of an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .arguments import as_json, serial_number
from .output import Column, print_list
from .running import with_api

if TYPE_CHECKING:
    from .client import Api

_COLUMNS = (
    Column("Subject", "subject"),
    Column("Problem", "code"),
    Column("Since", "since_at"),
    Column("Detail", "detail"),
    Column("Advice", "advice"),
)


@click.group()
def problems() -> None:
    """List problems of the server and of terminals."""


@problems.command("list")
@click.option("--device", metavar="SN", callback=serial_number, help="Only problems of this one.")
@as_json
@with_api
async def list_(api: Api, device: str | None, as_json: bool) -> None:
    """List the problems of the server, then those of terminals, with advice."""
    await print_list(
        api.pages("problems", filters={"device": device}),
        _COLUMNS,
        as_json=as_json,
        empty="There are no problems.",
    )
