"""`zkpush files`: files for terminals to download, and files uploaded by them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from ...cli import completion
from ...cli.arguments import ListedNumber, as_json
from ...cli.confirming import confirm, yes
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.newfiles import new_file, told_progress
from ...cli.output import echo, print_list, print_object, progress
from ...cli.running import with_api
from ...cli.tables import Column
from ...cli.times import shown_instant
from .words import WORDS

if TYPE_CHECKING:
    from ...cli.client import Api

_COLUMNS = (
    Column("ID", "id"),
    Column("Name", "name", wraps=True),
    Column("Size", "size"),
    Column("MD5", "md5", is_spare=True),
    Column("Path", "path"),
    Column("From", "origin", wraps=True),
    Column("Added", "created_at", shown_instant, is_spare=True),
)
_file_id = click.argument(
    "id",
    metavar="ID",
    type=ListedNumber("files list"),
    shell_complete=completion.names_of("files", "id"),
)


files = WordGroup("files", help=WORDS["files"])


@files.command()
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--name", metavar="NAME", help="Name of the file on the server. Default: the name in PATH."
)
@as_json
@with_api
async def add(api: Api, path: Path, name: str | None, as_json: bool) -> None:
    """Add a file for terminals, and print its ID.

    The command UPGRADE takes the ID as `file`; PutFile takes the path that `zkpush files list`
    shows.

    \b
    Example:
      zkpush files add firmware-8.0.4.bin
    """
    from .transfers import upload

    name = path.name if name is None else name
    try:
        with path.open("rb") as file, progress() as say:
            added = await upload(api, name, file, told_progress(f"Sending {name}", say))
    except OSError as error:
        raise click.ClickException(f"Cannot read {path}: {error.strerror}.") from None
    if as_json:
        print_object(added, as_json=True)
    else:
        echo(str(added["id"]))


@files.command("list", cls=ListCommand, order=OLDEST_FIRST)
@as_json
@with_api
async def list_(api: Api, as_json: bool) -> None:
    """List the files for terminals and the files from terminals (GetFile, SHELL).

    Sizes are in bytes.

    \b
    Example:
      zkpush files list
    """
    await print_list(
        api.pages("files"),
        _COLUMNS,
        as_json=as_json,
        empty="There are no files. Add one with: zkpush files add PATH",
    )


@files.command()
@_file_id
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@with_api
async def get(api: Api, id: int, file: Path) -> None:
    """Download a file from the server to FILE, readable only by its owner.

    \b
    Example:
      zkpush files get 3 terminal.log
    """
    from ...cli.downloads import download

    found = await api.get("files", str(id))
    digest = hashlib.md5(usedforsecurity=False)
    with new_file(file) as out, progress() as say:
        take, moved = _taker(out, digest.update), told_progress(f"Fetching {found['name']}", say)
        await download(api, "files", str(id), "content", take=take, moved=moved)
        if digest.hexdigest() != found["md5"]:
            raise click.ClickException(
                f"The download of file {id} is damaged: its MD5 differs. Try again."
            )


@files.command()
@_file_id
@yes
@with_api
async def remove(api: Api, id: int, yes: bool) -> None:
    """Remove a file. Refused while a terminal still has to download it.

    Asks for confirmation on a console, unless --yes is given.

    \b
    Example:
      zkpush files remove 3
    """
    confirm(f"The content of the file {id} is lost for good. Remove it?", yes=yes)
    await api.send("DELETE", "files", str(id))
    echo(f"The file {id} is removed.")


def _taker(out: IO[bytes], update: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """Return a function that writes and hashes the parts of a file."""

    def take(part: bytes) -> None:
        out.write(part)
        update(part)

    return take
