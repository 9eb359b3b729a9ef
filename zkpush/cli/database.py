"""`zkpush database`: maintenance of the database, on its machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .output import echo, printable
from .target import Given

MOST_SHOWN = 20
"""Faults that are printed; the rest is counted."""


@click.group()
def database() -> None:
    """Upgrade, check and re-key the database, on its machine.

    Everything but `check` needs the daemon to be stopped.
    """


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
def upgrade(given: Given, file: Path | None, url: str | None) -> None:
    """Bring the database to the schema of this version, without starting the daemon.

    A database file is copied beside itself first. The daemon does the same when it starts.
    """
    from ..maintenance import upgrade as migrate  # with the database: other commands do not need it

    with _explained(given) as data:
        before, after = migrate(data, file, url)
    if before == after:
        echo(f"The database is of revision {after} already.")
    else:
        echo(f"The database is of revision {after} now; it was of {before}.")


@database.command()
@_of_daemon
@click.option(
    "--head",
    "noted",
    metavar="ID:MAC",
    help="A head of the audit log that an earlier check printed: it must still be in the log.",
)
@click.pass_obj
def check(given: Given, file: Path | None, url: str | None, noted: str | None) -> None:
    """Check the database and the audit log; the daemon may run meanwhile.

    Runs the integrity check of the database, then verifies the hash chain of the audit log: rows
    that were changed, inserted, moved or removed are found. An older copy of the whole database is
    found only with --head. Exit status 1 means that something is wrong.
    """
    from ..maintenance import check as check_database

    with _explained(given) as data:
        checked = check_database(data, file, url, noted)
    for note in checked.notes:
        echo(f"Not checked: {note}.")
    if not checked.damage:
        echo("Database: no damage found.")
    if not checked.faults:
        since = f" after the checkpoint at row {checked.removed}" if checked.removed else ""
        echo(f"Audit log: {checked.rows} rows verified{since}.")
        if checked.head:
            echo(f"Head of the audit log: {checked.head}")
            echo("Note it on another machine; `--head` then finds an older copy.")
    for words in (*checked.damage, *checked.faults)[:MOST_SHOWN]:
        echo(f"zkpush: {printable(words)}", err=True)
    more = len(checked.damage) + len(checked.faults) - MOST_SHOWN
    if more > 0:
        echo(f"zkpush: and {more} more", err=True)
    if checked.damage:
        echo(
            "The database is damaged. Stop the daemon, keep a copy of the database as it is, and "
            "restore the latest sound backup; then send data of the time since again with "
            "`zkpush devices resend`.",
            err=True,
        )
    if checked.faults:
        echo(
            "The audit log is not as the server wrote it. Keep a copy of the database as evidence, "
            "find out who can write to it, and compare the rows that are named with a backup.",
            err=True,
        )
    if not checked.is_sound:
        raise SystemExit(1)


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
        echo(
            f"{rotated.damaged} values were damaged, and could not be opened: they are lost.",
            err=True,
        )
    echo(f"The key {rotated.name} in {rotated.key_file} seals the database now.")
    echo("Back it up, apart from the database: without it, what is sealed is lost.")
    if rotated.is_shared:
        echo("Copy it to every other machine that uses the database, before they start.")


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
    echo(f"{count} templates and comparison photos are removed.")
