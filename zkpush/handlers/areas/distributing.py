"""Areas that distribute, for commands that need one."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ...cli.client import Api


async def must_distribute(api: Api, area: str) -> None:
    """Raise `click.ClickException` that says what to do if an area does not distribute."""
    if not (await api.get("areas", area))["distributes"]:
        raise click.ClickException(
            f"The area {area} does not distribute: the server puts nobody on its terminals, so "
            f"there is nothing to repair. To let it: zkpush areas put {shlex.quote(area)} "
            "--distribute"
        )
