"""`zkpush files`: files for terminals to download, and files uploaded by them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from ...cli import completion
from ...cli.arguments import ListedNumber, as_json
from ...cli.confirming import confirm, yes
from ...cli.groups import OLDEST_FIRST, ListCommand, WordGroup
from ...cli.output import echo, print_list, print_object, progress
from ...cli.running import with_api
from ...cli.tables import Column, printable
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
_MEGABYTE = 1000 * 1000
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
            added = await upload(api, name, file, _teller(f"Sending {name}", say))
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
    from .transfers import download

    found = await api.get("files", str(id))
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with open(file, "xb", opener=_private) as out:
            try:
                with progress() as say:
                    told = _teller(f"Fetching {found['name']}", say)
                    await download(api, id, _taker(out, digest.update), told)
                if digest.hexdigest() != found["md5"]:
                    raise click.ClickException(
                        f"The download of file {id} is damaged: its MD5 differs. Try again."
                    )
            except BaseException:
                file.unlink()
                raise
    except FileExistsError:
        raise click.ClickException(f"{file} exists already; give another file name.") from None
    except OSError as error:
        raise click.ClickException(f"Cannot write {file}: {error.strerror}.") from None


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


def _teller(what: str, say: Callable[[str, str], None]) -> Callable[[int, int], None]:
    """Return a callback that shows the progress of a long transfer."""

    def moved(done: int, length: int) -> None:
        say(printable(what), f"{done / _MEGABYTE:.1f} of {length / _MEGABYTE:.1f} MB")

    return moved


def _private(path: str, flags: int) -> int:
    """Open a file accessible only to its owner, since files of terminals may contain passwords."""
    return os.open(path, flags, 0o600)
