"""`zkpush tokens`: who else may use the API, and for what."""

from __future__ import annotations

import click

from ..protocol.fields import Scope
from .arguments import as_json
from .client import Api
from .output import Column, echo, print_list, print_object
from .running import with_api

_COLUMNS = (
    Column("Name", "name"),
    Column("Scopes", "scopes"),
    Column("Created", "created_at"),
    Column("By", "created_by"),
    Column("Expires", "expires_at"),
    Column("Last used", "last_used_at"),
)


@click.group()
def tokens() -> None:
    """Give programs and people tokens of their own for the API."""


@tokens.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    required=True,
    help="What it is for: read; biometrics (passwords, templates, photos); write (people, "
    "terminals, ordinary commands); dangerous (SHELL, files, upgrades, every CLEAR, doors, options "
    "with keys or addresses); admin (tokens, the audit log, protection of terminals). Repeatable.",
)
@click.option("--expires", metavar="TIME", help="Good until then (ISO 8601, else UTC).")
@as_json
@with_api
async def create(
    api: Api, name: str, scopes: tuple[str, ...], expires: str | None, as_json: bool
) -> None:
    """Make a token, and print it: it is never shown again."""
    body = {"name": name, "scopes": list(dict.fromkeys(scopes)), "expires_at": expires}
    made = await api.send("POST", "tokens", body=body)
    if as_json:
        print_object(made, as_json=True)
        return
    echo(f"This is the token {name}; it is not shown again.", err=True)
    echo(made["token"])


@tokens.command("list")
@as_json
@with_api
async def list_(api: Api, as_json: bool) -> None:
    """List the tokens that were made; that of the data directory is beside them."""
    await print_list(
        api.pages("tokens"),
        _COLUMNS,
        as_json=as_json,
        empty="There are no tokens but that of the data directory. "
        "Make one with: zkpush tokens create NAME --scope read",
    )


@tokens.command()
@click.argument("name", metavar="NAME")
@with_api
async def revoke(api: Api, name: str) -> None:
    """Revoke a token: within a second it is good for nothing."""
    await api.send("DELETE", "tokens", name)
    echo(f"The token {name} is revoked.")
