"""`zkpush tokens`: tokens for the API, and their scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..enginewords import ENGINE_WORDS
from ..protocol.fields import Scope
from . import completion
from .arguments import as_json
from .groups import OLDEST_FIRST, ListCommand, WordGroup
from .output import echo, print_list, print_object
from .running import with_api
from .tables import Column
from .times import LATER_FORMAT, point_in_time, shown_instant

if TYPE_CHECKING:
    from .client import Api

_COLUMNS = (
    Column("Name", "name"),
    Column("Scopes", "scopes", wraps=True),
    Column("Areas", "areas", lambda areas: ", ".join(areas or ["all"]), wraps=True, is_spare=True),
    Column("Created", "created_at", shown_instant, is_spare=True),
    Column("By", "created_by", wraps=True, is_spare=True),
    Column("Expires", "expires_at", shown_instant),
    Column("Last used", "last_used_at", shown_instant),
)


tokens = WordGroup("tokens", help=ENGINE_WORDS["tokens"])


@tokens.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    required=True,
    help="What the token may do: attendance (punches and the names of people, nothing else); read "
    "(see everything without secrets, punches too); biometrics (see passwords, templates, photos); "
    "write (change people and terminals, ordinary commands); dangerous (SHELL, files, upgrades, "
    "every CLEAR, doors, options with keys or addresses); admin (tokens, audit log, protection of "
    "terminals). Repeatable.",
)
@click.option(
    "--area",
    "areas",
    metavar="NAME",
    multiple=True,
    help="Limit the token to the terminals and people of this area. Repeatable. Paths that cannot "
    "be limited are refused. Default: no limit.",
)
@click.option(
    "--expires",
    "expires_at",
    metavar="TIME",
    callback=point_in_time,
    help=f"End of its validity, in the future. Default: none. {LATER_FORMAT}",
)
@as_json
@with_api
async def create(
    api: Api,
    name: str,
    scopes: tuple[str, ...],
    areas: tuple[str, ...],
    expires_at: str | None,
    as_json: bool,
) -> None:
    """Create a token and print it. It is not shown again.

    \b
    Examples:
      zkpush tokens create payroll --scope read --expires 2031-12-31
      zkpush tokens create north --scope read --scope write --area North
    """
    body = {
        "name": name,
        "scopes": list(dict.fromkeys(scopes)),
        "areas": list(dict.fromkeys(areas)) or None,
        "expires_at": expires_at,
    }
    made = await api.send("POST", "tokens", body=body)
    if as_json:
        print_object(made, as_json=True)
        return
    echo(f"Token {name}; it is not shown again:", err=True)
    echo(made["token"])


@tokens.command("list", cls=ListCommand, order=OLDEST_FIRST)
@as_json
@with_api
async def list_(api: Api, as_json: bool) -> None:
    """List the created tokens. The token in DIR/admin.token is not among them.

    \b
    Example:
      zkpush tokens list
    """
    await print_list(
        api.pages("tokens"),
        _COLUMNS,
        as_json=as_json,
        empty="There are no tokens except the one in DIR/admin.token. "
        "Create one with: zkpush tokens create NAME --scope read",
    )


@tokens.command()
@click.argument("name", metavar="NAME", shell_complete=completion.names_of("tokens"))
@with_api
async def revoke(api: Api, name: str) -> None:
    """Revoke a token. It stops working within a second.

    \b
    Example:
      zkpush tokens revoke payroll
    """
    await api.send("DELETE", "tokens", name)
    echo(f"The token {name} is revoked.")
