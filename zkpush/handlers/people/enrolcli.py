"""`zkpush users enrol` and `photo`: templates and photos of a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from twisted.internet.task import deferLater

from ...cli import completion
from ...cli.arguments import as_json, contents, duration, serial_number
from ...cli.groups import LeafCommand
from ...cli.output import echo, print_object, progress
from ...cli.replies import Item
from ...cli.running import with_api
from ...cli.tables import printable
from ...cli.times import with_local_times

if TYPE_CHECKING:
    from ...cli.client import Api

POLL_SECONDS = 1.0
ARRIVAL_SECONDS = 30.0
"""Longest wait for what was enrolled, after the terminal has reported success."""


@click.command(cls=LeafCommand)
@click.argument("pin", metavar="PIN")
@click.argument(
    "sn", metavar="SN", callback=serial_number, shell_complete=completion.serial_numbers
)
@click.argument("what", metavar="WHAT...", nargs=-1, required=True)
@click.option("--overwrite", is_flag=True, help="Replace what is enrolled already.")
@click.option(
    "--expires",
    "expires_in",
    metavar="DURATION",
    callback=duration,
    help="Give up unless the terminal fetches it within this time, such as 5m. Default: 60s.",
)
@click.option(
    "--wait", is_flag=True, help="Watch it until the template is here. Exit status 1 if it fails."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Stop watching after this time; the enrolment goes on. Default: no limit.",
)
@as_json
@with_api
async def enrol(
    api: Api,
    pin: str,
    sn: str,
    what: tuple[str, ...],
    overwrite: bool,
    expires_in: int | None,
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Let the user PIN enrol at the terminal SN.

    WHAT is a finger such as `right index finger` or `finger 6` (from 0, the left little finger, to
    9), or face, palm, card, `finger vein`, iris, retina or voice. The terminal asks the person, who
    has to be there. A user whom the terminal does not have is sent there first.

    \b
    Examples:
      zkpush users enrol 7 3434174801234 right index finger --wait
      zkpush users enrol 7 3434174801234 face --expires 5m --wait
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait.")
    body = {"device": sn, "what": " ".join(what), "overwrite": overwrite}
    if expires_in is not None:
        body["expires_in"] = expires_in
    enrolment = await api.send("POST", "users", pin, "enrol", body=body)
    if wait:
        enrolment = await _watched(api, enrolment, timeout)
    if as_json:
        print_object(enrolment, as_json=True)
    elif not wait:
        echo(f"{enrolment['what']}: {_words(enrolment)}")
        echo(f"Watch it: zkpush commands show {enrolment['id']}")
    if not wait:
        return
    if enrolment["state"] not in ("received", "enrolled"):
        raise click.ClickException(_words(enrolment))
    echo(_words(enrolment), err=as_json)


def _words(enrolment: Item) -> str:
    """Say how far an enrolment is, with times on the clock of this machine."""
    return with_local_times(printable(enrolment["meaning"]))


async def _watched(api: Api, enrolment: Item, timeout: float | None) -> Item:
    """Poll an enrolment until it is over, or the timeout passes."""
    started = api.clock.seconds()
    enrolled_at: float | None = None
    with progress() as say:
        while not enrolment["over"]:
            now = api.clock.seconds()
            if enrolment["state"] == "enrolled" and enrolled_at is None:
                enrolled_at = now
            say(_words(enrolment), f"{now - started:.0f} s")
            if timeout is not None and now - started >= timeout:
                break
            if enrolled_at is not None and now - enrolled_at >= ARRIVAL_SECONDS:
                break
            left = POLL_SECONDS if timeout is None else min(POLL_SECONDS, started + timeout - now)
            await deferLater(api.clock, left)
            enrolment = await api.get("users", enrolment["pin"], "enrol", enrolment["id"])
    return enrolment


@click.command(cls=LeafCommand)
@click.argument("pin", metavar="PIN")
@click.argument(
    "file",
    metavar="[FILE.jpg]",
    required=False,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
)
@click.option(
    "--face",
    is_flag=True,
    help="The comparison photo, from which terminals of visible light make a template.",
)
@click.option("--remove", is_flag=True, help="Remove the photo instead.")
@with_api
async def photo(api: Api, pin: str, file: Path | None, face: bool, remove: bool) -> None:
    """Store the photo of the user PIN, a JPEG file; `-` reads from stdin.

    Terminals show the photo to the person who punches. No terminal overwrites it.

    \b
    Examples:
      zkpush users photo 7 ann.jpg
      zkpush users photo 7 ann.jpg --face
      zkpush users photo 7 --remove
    """
    if remove == (file is not None):
        raise click.UsageError("Give either FILE.jpg or --remove.")
    query = {"kind": "face" if face else "picture"}
    what = "comparison photo" if face else "photo"
    if file is None:
        await api.send("DELETE", "users", pin, "photo", query=query)
        echo(f"The {what} of user {pin} is removed.")
        return
    stored = await api.send("PUT", "users", pin, "photo", content=contents(file), query=query)
    size = f"{stored['width']} x {stored['height']} pixels, {stored['size']} bytes"
    echo(f"The {what} of user {pin} is stored: {size}.")
