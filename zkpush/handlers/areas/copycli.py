"""`zkpush devices copy` and `zkpush devices adopt`: people of one terminal for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...cli import completion
from ...cli.arguments import as_json, serial, serial_number
from ...cli.groups import LeafCommand
from ...cli.output import echo, print_object
from ...cli.running import with_api
from ...counting import agreeing, counted, counted_people

if TYPE_CHECKING:
    from ...cli.client import Api

_dry_run = click.option("--dry-run", is_flag=True, help="Report only; change nothing.")


@click.command(cls=LeafCommand)
@serial
@click.option(
    "--from",
    "source",
    metavar="OTHER",
    required=True,
    callback=serial_number,
    shell_complete=completion.serial_numbers,
    help="Serial number of the terminal that holds the people.",
)
@_dry_run
@as_json
@with_api
async def copy(api: Api, sn: str, source: str, dry_run: bool, as_json: bool) -> None:
    """Send the people on the terminal OTHER to the terminal SN.

    Users, templates and photos are sent as far as they fit, with a low priority. If the area of SN
    distributes, all of them must be in it, because SN would delete the others.

    \b
    Example:
      zkpush devices copy 3434174801234 --from 3434174805678 --dry-run
    """
    body = {"from": source, "dry_run": dry_run}
    found = await api.send("POST", "devices", sn, "copy", body=body)
    if as_json:
        print_object(found, as_json=True)
        return
    commands = found["commands"]
    verb = "would be" if dry_run else agreeing(commands, "is", "are")
    echo(
        f"{source} holds {counted_people(found['people'])}; {found['there']} of them "
        f"{agreeing(found['there'], 'is', 'are')} on {sn} already. "
        f"{counted(commands, 'command')} {verb} sent."
    )
    for one in found["does_not_fit"]:
        echo(f"User {one['pin']}, {one['part']}: {one['meaning']}")
    if found["more"]:
        echo(f"{counted(found['more'], 'more part does', 'more parts do')} not fit.")
    if found["outside"]:
        echo(
            f"{counted(found['outside'], 'person is', 'people are')} not in the area of {sn}, "
            "which distributes. Nobody can be copied until all are in it."
        )
    if not dry_run:
        echo(f"Next: zkpush devices users {sn}")


@click.command(cls=LeafCommand)
@serial
@_dry_run
@as_json
@with_api
async def adopt(api: Api, sn: str, dry_run: bool, as_json: bool) -> None:
    """Add the people on the terminal SN to its area.

    Other areas of these people stay, and so do conflicts. If the area distributes, the people are
    sent to all its terminals.

    \b
    Example:
      zkpush devices adopt 3434174801234 --dry-run
    """
    found = await api.send("POST", "devices", sn, "adopt", body={"dry_run": dry_run})
    if as_json:
        print_object(found, as_json=True)
        return
    verb = "would be" if dry_run else agreeing(found["adopted"], "is", "are")
    echo(
        f"{found['adopted']} of {counted_people(found['people'])} on {sn} {verb} added to the area "
        f"{found['area']}."
    )
    if found["distributes"] and found["adopted"]:
        echo(
            f"The area sends them to all its terminals. See: zkpush areas progress {found['area']}"
        )
