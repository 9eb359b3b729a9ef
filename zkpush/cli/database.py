"""`zkpush database`: what is done to the database while no daemon runs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .target import Given


@click.group()
def database() -> None:
    """Look after the database, on its machine, while the daemon does not run."""


P = ParamSpec("P")
T = TypeVar("T")


def _of_daemon(command: Callable[P, T]) -> Callable[P, T]:
    """The options that say which database the daemon has."""
    for option in (
        click.option(
            "--database",
            "url",
            metavar="URL",
            help="The --database that the daemon is started with, if it is.",
        ),
        click.option(
            "--config",
            "file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The TOML file that the daemon is started with, if it names the database.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def _explained(given: Given) -> Iterator[Path]:
    """The data directory; what goes wrong is said in a line, with exit status 1."""
    from ..config import ConfigError
    from ..interfaces import StoreError

    if given.data is None:
        raise click.UsageError("Which daemon? Give --data DIR (or ZKPUSH_DATA) on its machine.")
    try:
        yield given.data
    except (ConfigError, StoreError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or 'the key'}: {error.strerror}; then run this again"
        ) from None


@database.command()
@_of_daemon
@click.pass_obj
def rotate_key(given: Given, file: Path | None, url: str | None) -> None:
    """Make a new key for secrets at rest, and seal everything anew.

    Stop the daemon first, on every machine that uses the database. If this is interrupted, in
    whatever way, run it again: it goes on. Afterwards the old key opens nothing that is in the
    database; it does open backups from before, so keep it with those, or remove them.
    """
    from ..maintenance import rotate_key as rotate  # with the database: no other command needs it

    bar = Progress(
        TextColumn("Sealing anew"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False),
    )
    task = bar.add_task("", total=None)

    def say(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        with _explained(given) as data:
            rotated = rotate(data, file, url, say)
    finally:
        bar.stop()
    if rotated.damaged:
        click.echo(
            f"{rotated.damaged} values were damaged, and could not be opened: they are lost.",
            err=True,
        )
    click.echo(f"The key {rotated.name} in {rotated.key_file} seals the database now.")
    click.echo("Back it up, apart from the database: without it, what is sealed is lost.")
    if rotated.is_shared:
        click.echo("Copy it to every other machine that uses the database, before they start.")


@database.command()
@_of_daemon
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def forget_templates(given: Given, file: Path | None, url: str | None, yes: bool) -> None:
    """Remove all templates and comparison photos, for good.

    Also the fingerprints of identity cards, and commands and unreadable lines with any of them. For
    a server that is to have none: set privacy.templates to false first. Stop the daemon before.
    """
    from ..maintenance import forget_templates as forget

    with _explained(given) as data:
        if not yes:
            click.confirm("Remove all templates from the database, for good?", abort=True)
        count = forget(data, file, url)
    click.echo(f"{count} templates and comparison photos are removed.")
