"""`zkpush users`: people on the terminals."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...cli.arguments import as_json
from ...cli.groups import ListCommand, WordGroup
from ...cli.output import print_csv, print_list, print_object
from ...cli.running import with_api
from ...cli.tables import Column
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("PIN", "pin"),
    Column("Name", "name", wraps=True),
    Column("Privilege", "privilege_meaning", wraps=True),
    Column("Card", "card"),
    Column("Templates", "templates", lambda counts: sum(counts.values())),
    Column("Photo", "has_photo", is_spare=True),
    Column("Terminal", "device"),
)


users = WordGroup("users", help=WORDS["users"])


@users.command("list", cls=ListCommand, order="the first seen first")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Print at most N users.")
@as_json
@with_api
async def list_(api: Api, limit: int | None, as_json: bool) -> None:
    """List the users of all terminals.

    The column Terminal names the terminal that sent the newest data about a user.

    \b
    Example:
      zkpush users list --limit 20
    """
    await print_list(
        api.pages("users", limit=limit),
        _COLUMNS,
        as_json=as_json,
        empty="There are no users yet. Terminals upload theirs on their own.",
    )


@users.command()
@click.argument("pin", metavar="PIN")
@as_json
@with_api
async def show(api: Api, pin: str, as_json: bool) -> None:
    """Show the details of the user with the user ID PIN.

    The password needs the scope `biometrics`.

    \b
    Example:
      zkpush users show 7
    """
    print_object(await api.get("users", pin), as_json=as_json)


@users.command()
@click.argument("file", metavar="FILE.csv", type=click.Path(path_type=Path, dir_okay=False))
@with_api
async def export(api: Api, file: Path) -> None:
    """Write all users to a CSV file, readable only by its owner. `-` writes to stdout.

    \b
    Example:
      zkpush users export users.csv
    """
    if str(file) == "-":
        await print_csv(api, "users")
        return
    try:
        with open(file, "xb", opener=_private) as out:
            try:
                await print_csv(api, "users", file=out)
            except BaseException:
                file.unlink()
                raise
    except FileExistsError:
        raise click.ClickException(f"{file} exists already; give another file name.") from None
    except OSError as error:
        raise click.ClickException(f"Cannot write {file}: {error.strerror}.") from None


def _private(path: str, flags: int) -> int:
    """Open a file accessible only to its owner, since it may contain passwords."""
    return os.open(path, flags, 0o600)
