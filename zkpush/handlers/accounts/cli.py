"""`zkpush accounts` and `zkpush console`: people who sign in to the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...cli import completion
from ...cli.arguments import as_json
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from ...protocol.fields import Scope
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("Name", "name"),
    Column("Scopes", "scopes", wraps=True),
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
@as_json
@with_api
async def add(api: Api, name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Add an account and print the link by which the person chooses a password.

    The link works once, and for an hour unless the configuration says otherwise.

    \b
    Example:
      zkpush accounts add ann --scope read --scope write
    """
    made = await api.send(
        "POST", "accounts", body={"name": name, "scopes": [*dict.fromkeys(scopes)]}
    )
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
@with_api
async def setup(api: Api, as_json: bool) -> None:
    """Say how the console is reached, and print the link to its first account.

    \b
    Example:
      zkpush console setup
    """
    made = await api.send("POST", "console", "link")
    if as_json:
        print_object(made, as_json=True)
        return
    echo(api.url + made["path"])
