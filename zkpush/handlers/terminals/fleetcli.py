"""`zkpush devices replace` and `retire`: the end of a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ...cli import completion
from ...cli.arguments import serial, serial_number
from ...cli.confirming import confirm, yes
from ...cli.groups import LeafCommand
from ...cli.output import echo
from ...cli.running import with_api

if TYPE_CHECKING:
    from ...cli.client import Api


@click.command(cls=LeafCommand)
@serial
@click.argument(
    "new", metavar="NEWSN", callback=serial_number, shell_complete=completion.serial_numbers
)
@click.option("--has-records", is_flag=True, help="NEWSN may have records of its own already.")
@yes
@with_api
async def replace(api: Api, sn: str, new: str, has_records: bool, yes: bool) -> None:
    """Replace the terminal SN by another one, with the serial number NEWSN.

    NEWSN is approved, and takes the alias, area, time zone, settings and protection of SN. It also
    gets the queued commands that suit it. SN is retired; its records stay, and
    `zkpush attendance list --device NEWSN --history` shows those of both.

    \b
    Example:
      zkpush devices replace 3434174801234 3434174805678
    """
    confirm(f"Retire {sn}, and let {new} take its place?", yes=yes)
    body = {"by": new, "has_records": has_records}
    ended = await api.send("POST", "devices", sn, "replace", body=body)
    echo(f"{new} is approved and replaces {sn}, which is retired.")
    echo(_of_commands(ended))


@click.command(cls=LeafCommand)
@serial
@yes
@with_api
async def retire(api: Api, sn: str, yes: bool) -> None:
    """Take the terminal SN out of use. Its records stay.

    The server refuses its requests and cancels its commands. `zkpush devices list --retired` shows
    it, and `zkpush devices approve` takes it into use again.

    \b
    Example:
      zkpush devices retire 3434174801234
    """
    confirm(f"Retire {sn}?", yes=yes)
    ended = await api.send("POST", "devices", sn, "retire")
    echo(f"{sn} is retired.")
    echo(_of_commands(ended))


def _of_commands(ended: Mapping[str, Any]) -> str:
    """Say what happened to the commands of a terminal that has ended."""
    return f"Commands: {ended['moved']} moved, {ended['cancelled']} cancelled."
