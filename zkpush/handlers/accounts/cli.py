"""`zkpush accounts` and `zkpush console`: people who sign in to the console."""

from __future__ import annotations

import datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import msgspec

from ...cli import completion
from ...cli.arguments import as_json
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object
from ...cli.replies import ApiFailure
from ...cli.running import with_api, with_started_api
from ...cli.tables import Column
from ...cli.times import shown_instant, zoned_instant
from ...protocol.fields import Scope
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("Name", "name"),
    Column("Scopes", "scopes", wraps=True),
    Column("Areas", "areas", lambda areas: ", ".join(areas or ["all"]), wraps=True, is_spare=True),
    Column("Password", "has_password", lambda has: "chosen" if has else "not yet"),
    Column("Code", "has_code", lambda has: "yes" if has else "no", is_spare=True),
    Column("Added", "created_at", shown_instant, is_spare=True),
    Column("Signed in", "signed_in_at", shown_instant),
)
_name = click.argument("name", metavar="NAME", shell_complete=completion.names_of("accounts"))


accounts = WordGroup("accounts", help=WORDS["accounts"])


@accounts.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    required=True,
    help="What the person may do, as for `zkpush tokens create`. Repeatable.",
)
@click.option(
    "--area",
    "areas",
    metavar="NAME",
    multiple=True,
    help="Limit the account to the terminals and people of this area. Repeatable. Pages of the "
    "whole site are refused. Default: no limit.",
)
@as_json
@with_api
async def add(
    api: Api, name: str, scopes: tuple[str, ...], areas: tuple[str, ...], as_json: bool
) -> None:
    """Add an account and print the link by which the person chooses a password.

    The link works once, and for an hour unless the configuration says otherwise.

    \b
    Examples:
      zkpush accounts add ann --scope read --scope write
      zkpush accounts add ben --scope read --area North
    """
    body = {
        "name": name,
        "scopes": [*dict.fromkeys(scopes)],
        "areas": [*dict.fromkeys(areas)] or None,
    }
    made = await api.send("POST", "accounts", body=body)
    if as_json:
        print_object(made, as_json=True)
        return
    echo(f"Account {name}; the link to choose a password, which is not shown again:", err=True)
    echo(api.url + made["link"]["path"])


@accounts.command()
@_name
@as_json
@with_api
async def link(api: Api, name: str, as_json: bool) -> None:
    """Print a link by which a person chooses a new password.

    Using it ends the person's sessions and removes the second factor. Earlier links end.

    \b
    Example:
      zkpush accounts link ann
    """
    made = await api.send("POST", "accounts", name, "link")
    if as_json:
        print_object(made, as_json=True)
        return
    echo(api.url + made["path"])


@accounts.command("list", cls=ListCommand, order=OLDEST_FIRST)
@as_json
@with_api
async def list_(api: Api, as_json: bool) -> None:
    """List the accounts of the console.

    \b
    Example:
      zkpush accounts list
    """
    await print_list(
        api.pages("accounts"),
        _COLUMNS,
        as_json=as_json,
        empty="There are no accounts yet. Begin with: zkpush console setup",
    )


@accounts.command()
@_name
@with_api
async def remove(api: Api, name: str) -> None:
    """Remove an account. Its sessions end at once.

    \b
    Example:
      zkpush accounts remove ann
    """
    await api.send("DELETE", "accounts", name)
    echo(f"The account {name} is removed.")


console = WordGroup("console", help=WORDS["console"])


@console.command()
@as_json
@with_started_api
async def setup(api: Api, as_json: bool) -> None:
    """Say how the console is reached, and print the link to its first account.

    The link works once, and for an hour unless the configuration says otherwise. Run it on the
    machine of the server: DIR is the data directory with which the daemon was started. Without
    --data, set ZKPUSH_DATA. If the daemon is just starting, the command waits for it.

    \b
    Examples:
      zkpush --data DIR console setup
      zkpush --data DIR console setup --json
    """
    made: dict[str, str] | None = None
    try:
        made = await api.send("POST", "console", "link")
    except ApiFailure as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
    if as_json:
        link = None if made is None else api.url + made["path"]
        print_object({"url": f"{api.url}/console/", "link": link}, as_json=True)
        return
    echo(_ways(api.url))
    if made is None:
        echo(
            "There are accounts: sign in there. For a forgotten password: zkpush accounts link NAME"
        )
        return
    echo(f"The first account (the link works once, until {zoned_instant(made['expires_at'])}):")
    echo(f"  {api.url}{made['path']}")


def _ways(url: str) -> str:
    """Describe how the console at a URL is reached."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    lines = [
        "On this machine, open in a browser:",
        f"  {url}/console/",
        "From another machine, by an SSH tunnel:",
        f"  ssh -N -L {port}:{parts.hostname}:{port} USER@THIS-MACHINE",
        f"  and there open {parts.scheme}://localhost:{port}/console/",
    ]
    if parts.scheme != "https":
        lines += [
            "In the network, by https (passwords are never taken over plain http):",
            "  zkpush console certificate NAME-OR-ADDRESS makes a certificate and says what to do,",
            "  or put nginx or HAProxy in front: zkpush docs deployment",
        ]
    return "\n".join(lines) + "\n"


MANAGE_PORT = 8082
"""Port of the API and the console, unless the daemon is told another one."""


@console.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option(
    "--to",
    "folder",
    metavar="DIRECTORY",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for console.key and console.pem. Default: the data directory.",
)
@click.pass_context
def certificate(context: click.Context, names: tuple[str, ...], folder: Path | None) -> None:
    """Make a self-signed certificate for the console, and print its fingerprint.

    Each NAME is a host name or an address by which browsers reach this machine. Existing files are
    not replaced.

    \b
    Example:
      zkpush --data data console certificate hr-server 192.0.2.5
    """
    from .certificate import make_certificate, write_new

    folder = folder or context.obj.data
    if folder is None:
        raise click.UsageError("Name a directory: --to DIR, or --data DIR of zkpush.")
    key, pem, fingerprint = make_certificate(names, datetime.datetime.now(datetime.UTC))
    files = (folder / "console.key").absolute(), (folder / "console.pem").absolute()
    try:
        for file, content in zip(files, (key, pem), strict=True):
            write_new(file, content)
    except FileExistsError as error:
        raise click.ClickException(
            f"{error.filename} is there already; remove it first, or name another directory."
        ) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    echo("The fingerprint, to compare with what the browser shows (SHA-256):")
    echo(f"  {fingerprint}")
    echo("Start the daemon with:")
    port = _manage_port(context.obj.data)
    echo(f"  --manage ssl:{port}:privateKey={files[0]}:certKey={files[1]}")
    echo(f"Then open https://{names[0]}:{port}/console/, compare, and trust the certificate.")


def _manage_port(data: Path | None) -> int:
    """Return the port of the daemon that runs on a data directory; the usual one if none does."""
    try:
        found = msgspec.json.decode(((data or Path()) / "run.json").read_bytes())
        return urlsplit(found["manage"]).port or MANAGE_PORT
    except (OSError, LookupError, TypeError, ValueError):
        return MANAGE_PORT
