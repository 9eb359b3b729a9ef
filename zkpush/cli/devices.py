"""`zkpush devices`: the terminals."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click

from ..protocol.tables import OPTION_REPLY, STAMPS
from .arguments import as_json, pairs, serial
from .client import Api, ApiFailure
from .output import Column, echo, print_list, print_object
from .running import with_api

_COLUMNS = (
    Column("SN", "sn"),
    Column("Alias", "alias"),
    Column("Area", "area"),
    Column("State", "state"),
    Column("Online", "online"),
    Column("Last seen", "last_seen_at"),
    Column("Queued", "pending_commands"),
    Column("Problems", "problems", lambda problems: [each["code"] for each in problems]),
)
_OWN = ("alias", "area", "timezone", "networks", "encryption", "cipher", "token", "comm_key")
"""What an operator says about a terminal; everything else is told to the terminal."""
_ALWAYS = {
    "timezone": "A terminal always has a timezone: say which.",
    "token": "A terminal always has a token policy: check, require or ignore.",
}
_OPTIONS = {field.wire.lower(): field.wire for field in OPTION_REPLY.fields if field.stored}
_TABLES = {
    "attendance": "ATTLOG",
    "operations": "OPERLOG",
    "photos": "ATTPHOTO",
    "templates": "BIODATA",
    "idcards": "IDCARD",
    "errors": "ERRORLOG",
    **{table: table for table, _, _ in STAMPS},
}


@click.group()
def devices() -> None:
    """See, approve and configure terminals."""


@devices.command("list")
@as_json
@with_api
async def list_(api: Api, as_json: bool) -> None:
    """List the terminals, in the order they were first seen."""
    await print_list(
        api.pages("devices"),
        _COLUMNS,
        as_json=as_json,
        empty="There are no terminals yet. One that connects is listed here, as pending.",
    )


@devices.command()
@serial
@as_json
@with_api
async def show(api: Api, sn: str, as_json: bool) -> None:
    """Show all that is known of a terminal."""
    device = await api.get("devices", sn)
    if not as_json:
        device["problems"] = [
            f"{problem['code']} ({problem['since_at']}): {problem['detail']}"
            for problem in device["problems"]
        ]
        device["comm_key"] = _comm_key_lines(device["comm_key"])
    print_object(device, as_json=as_json)


@devices.command()
@serial
@click.option("--add", is_flag=True, help="Add it, if it has not connected yet.")
@click.option(
    "--key",
    metavar="FINGERPRINT",
    help="Pin this pushcommkey: the terminal is refused with any other.",
)
@with_api
async def approve(api: Api, sn: str, add: bool, key: str | None) -> None:
    """Let a terminal in: its data is taken from now on.

    If it waits for approval and one pushcommkey was offered in its name, that one is pinned. If
    several were, or it is approved already, name the right one with --key.
    """
    body: dict[str, object] = {"state": "approved"}
    if key is not None:
        body["comm_key"] = key
    try:
        device = await api.send("PUT" if add else "PATCH", "devices", sn, body=body)
    except ApiFailure as failure:
        if failure.status == HTTPStatus.NOT_FOUND:
            raise ApiFailure(
                failure.status,
                f"{failure.message.rstrip('.')}; to approve it before it connects, say --add.",
            ) from None
        raise
    echo(f"{sn} is approved.")
    keys = device["comm_key"]
    lines = _comm_key_lines(keys)
    if not lines:
        return
    if all(one["fingerprint"] == keys["pinned"] for one in keys["offered"]):
        echo("Its pushcommkey is pinned; compare the address with the terminal's:")
    elif keys["pinned"] is None:
        echo("No pushcommkey is pinned. To pin an offered one, name it with --key:")
    else:
        echo("Its pinned pushcommkey stays. To pin another one, name it with --key:")
    for line in lines:
        echo(f"  {line}")


@devices.command()
@serial
@with_api
async def block(api: Api, sn: str) -> None:
    """Shut a terminal out: nothing of it is taken, what is stored stays."""
    await api.send("PATCH", "devices", sn, body={"state": "blocked"})
    echo(f"{sn} is blocked.")


@devices.command("set", short_help="Name, place or configure a terminal.")
@serial
@click.argument("values", metavar="KEY=VALUE...", nargs=-1, required=True, callback=pairs)
@with_api
async def set_(api: Api, sn: str, values: dict[str, str]) -> None:
    """Name, place or configure a terminal.

    KEY is alias, area, timezone (of its wall clock, such as Europe/Berlin), networks (where it may
    be, such as 10.1.0.0/16,10.2.0.5; it is refused from elsewhere), or an option that this terminal
    is told otherwise than the others, such as Delay=5 or TransFlag=digits. KEY= with nothing behind
    it removes the value.

    Its sessions: encryption (prefer, require, never), cipher (a suite), secret=@FILE (what the
    suite needs of a secret is in the file), token (check, require, ignore), comm_key (the
    fingerprint of its pushcommkey).
    """
    change: dict[str, object] = {}
    told: dict[str, str] = {}
    for key, value in values.items():
        if key == "networks":
            change[key] = [one.strip() for one in value.split(",") if one.strip()]
        elif key in _OWN:
            change[key] = value or None
        elif key == "secret":
            change[key] = _secret(value)
        elif value or key.lower() in _OPTIONS:
            told[key] = value
        else:
            keys = ", ".join([*_OWN, "secret", *_OPTIONS.values()])
            raise click.UsageError(f"{key} is not a key that can be set; there are {keys}.")
    for key, message in _ALWAYS.items():
        if change.get(key, "") is None:
            raise click.UsageError(message)
    if told:
        change["settings"] = {name: value or None for name, value in told.items()}
    await api.send("PATCH", "devices", sn, body=change)
    echo(f"{sn} is changed.")


def _comm_key_lines(keys: Mapping[str, Any]) -> list[str]:
    """The pushcommkeys of a terminal, one a line."""
    pinned = keys["pinned"]
    lines = [
        f"{key['fingerprint']} {'pinned' if key['fingerprint'] == pinned else 'offered'}, "
        f"from {key['address'] or 'a socket file'}, "
        f"{key['first_seen_at']} to {key['last_seen_at']}"
        for key in keys["offered"]
    ]
    if pinned is not None and all(key["fingerprint"] != pinned for key in keys["offered"]):
        lines.insert(0, f"{pinned} pinned, not offered yet")
    return lines


def _secret(value: str) -> str | None:
    """The content of a file: what stands on a command line can be read by others."""
    if not value:
        return None
    if not value.startswith("@"):
        raise click.UsageError("Put the secret into a file, and say secret=@FILE.")
    try:
        return base64.b64encode(Path(value[1:]).read_bytes()).decode()
    except OSError as error:
        raise click.UsageError(f"{value[1:]} cannot be read: {error.strerror}.") from None


@devices.command()
@serial
@click.argument("data", metavar="DATA", type=click.Choice(list(_TABLES), case_sensitive=False))
@with_api
async def resend(api: Api, sn: str, data: str) -> None:
    """Make a terminal send all it has of a kind of data again.

    What is stored already stays as it is. DATA is attendance, or the name of another table.
    """
    command = await api.send("POST", "devices", sn, "resend", body={"table": _TABLES[data]})
    echo(f"{sn} will send {data} again after its next poll (command {command['id']}).")
