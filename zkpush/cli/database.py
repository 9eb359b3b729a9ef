"""`zkpush database`: what is done to the database while no daemon runs on it."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..config import ConfigError
from ..interfaces import StoreError
from ..maintenance import rotate_key as rotate
from .target import Given


@click.group()
def database() -> None:
    """Look after the database, on its machine, while the daemon does not run."""


@database.command()
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The TOML file that the daemon is started with, if it names the database.",
)
@click.option(
    "--database",
    "url",
    metavar="URL",
    help="The --database that the daemon is started with, if it is.",
)
@click.pass_obj
def rotate_key(given: Given, file: Path | None, url: str | None) -> None:
    """Make a new key for secrets at rest, and seal everything anew.

    Stop the daemon first, on every machine that uses the database. If this is interrupted, in
    whatever way, run it again: it goes on. Afterwards the old key opens nothing that is in the
    database; it does open backups from before, so keep it with those, or remove them.
    """
    if given.data is None:
        raise click.UsageError("Which daemon? Give --data DIR (or ZKPUSH_DATA) on its machine.")
    console = Console(stderr=True, highlight=False)
    with Progress(
        TextColumn("Sealing anew"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("", total=None)
        try:
            rotated = rotate(
                given.data,
                file,
                url,
                lambda done, total: progress.update(task, completed=done, total=total),
            )
        except (ConfigError, StoreError, ValueError) as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            raise click.ClickException(
                f"{error.filename or 'the key'}: {error.strerror}; then run this again"
            ) from None
    if rotated.damaged:
        click.echo(
            f"{rotated.damaged} values were damaged, and could not be opened: they are lost.",
            err=True,
        )
    click.echo(f"The key {rotated.name} in {rotated.key_file} seals the database now.")
    click.echo("Back it up, apart from the database: without it, what is sealed is lost.")
    if rotated.is_shared:
        click.echo("Copy it to every other machine that uses the database, before they start.")
