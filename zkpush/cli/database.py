"""`zkpush database`: maintenance of the database, on the machine of the daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from ..counting import agreeing, counted
from ..enginewords import ENGINE_WORDS
from .confirming import confirm, yes
from .groups import WordGroup
from .output import echo, progress_bar
from .tables import printable
from .target import Given, unreadable

MOST_SHOWN = 20
"""Maximum number of printed faults; the others are counted."""


database = WordGroup(
    "database",
    help=f"{ENGINE_WORDS['database']}\n\n"
    "Run these commands on the machine of the daemon, with --data. All except `check` need the "
    "daemon to be stopped.",
)


P = ParamSpec("P")
T = TypeVar("T")


def _of_daemon(command: Callable[P, T]) -> Callable[P, T]:
    """Add the options that locate the daemon's database."""
    for option in (
        click.option(
            "--database",
            "url",
            metavar="URL",
            help="The --database option that the daemon is started with, if any.",
        ),
        click.option(
            "--config",
            "file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The configuration file of the daemon, if it sets `database`.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def _explained(given: Given) -> Iterator[Path]:
    """Return the data directory. Errors become one line on stderr and exit status 1."""
    from ..config import ConfigError
    from ..interfaces import StoreError

    if given.data is None:
        raise click.UsageError(
            "No data directory: give --data DIR (or ZKPUSH_DATA) on the machine of the daemon."
        )
    try:
        yield given.data
    except (ConfigError, StoreError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except PermissionError as error:
        raise unreadable(Path(error.filename or given.data), error, needs_files=True) from None
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or 'the key'}: {error.strerror}; then run this again"
        ) from None


@database.command()
@_of_daemon
@click.pass_obj
def upgrade(given: Given, file: Path | None, url: str | None) -> None:
    """Upgrade the database to the schema of this version. Stop the daemon first.

    The daemon does the same when it starts. Both copy an SQLite database first, into the same
    directory.

    \b
    Example:
      zkpush --data /var/lib/zkpush database upgrade
    """
    from ..maintenance import upgrade as migrate  # imports the database, unlike other commands

    with _explained(given) as data:
        before, after = migrate(data, file, url)
    if before == after:
        echo(f"The database is at revision {after} already.")
    else:
        echo(f"The database is at revision {after} now; it was at {before}.")


@database.command()
@_of_daemon
@click.option(
    "--head",
    "noted",
    metavar="ID:MAC",
    help="Head of the audit log that an earlier check printed. The check fails if the log does "
    "not contain it.",
)
@click.pass_obj
def check(given: Given, file: Path | None, url: str | None, noted: str | None) -> None:
    """Check the database and the audit log. The daemon may be running.

    The command runs the integrity check of the database, then verifies the hash chain of the audit
    log. It finds audit rows that were changed, inserted, moved or removed. It finds that the whole
    database was replaced by an older copy only with --head. Exit status 1 means that a fault was
    found.

    \b
    Example:
      zkpush --data /var/lib/zkpush database check
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
        echo(f"Audit log: {counted(checked.rows, 'row')} verified{since}.")
        if checked.head:
            echo(f"Head of the audit log: {checked.head}")
            echo("Keep it on another machine. `check --head` with it detects an older copy.")
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
    """Replace the key that encrypts secrets at rest, and encrypt them again.

    Stop the daemon first, on every machine that uses the database. If the command is interrupted,
    run it again: it continues. Afterwards the old key decrypts nothing in the database. It still
    decrypts older backups: keep it with them, or delete those backups.

    \b
    Example:
      zkpush --data /var/lib/zkpush database rotate-key
    """
    from ..maintenance import rotate_key as rotate  # imports the database, unlike other commands

    with progress_bar("Encrypting again") as say, _explained(given) as data:
        rotated = rotate(data, file, url, say)
    if rotated.damaged:
        echo(
            f"{counted(rotated.damaged, 'damaged value')} could not be decrypted and "
            f"{agreeing(rotated.damaged, 'is', 'are')} lost.",
            err=True,
        )
    echo(f"The key {rotated.name} in {rotated.key_file} encrypts the database now.")
    echo("Back it up, apart from the database: without it, the encrypted values are lost.")
    if rotated.is_shared:
        echo("Copy it to every other machine that uses the database, before their daemons start.")


@database.command()
@_of_daemon
@click.option(
    "--yes",
    is_flag=True,
    help="Do not ask for confirmation; a script, which nobody can answer, needs it.",
)
@click.pass_obj
def forget_templates(given: Given, file: Path | None, url: str | None, yes: bool) -> None:
    """Delete all templates and comparison photos permanently.

    The command also deletes the fingerprints of identity cards, and unknown columns, rejects,
    pending lines of plugins and commands that may contain any of these. Stop the daemon first, and
    set `privacy.templates = false`, otherwise terminals send their templates again.

    \b
    Example:
      zkpush --data /var/lib/zkpush database forget-templates
    """
    from ..maintenance import forget_templates as forget

    with _explained(given) as data:
        if not yes:
            click.confirm("Delete all templates from the database permanently?", abort=True)
        count = forget(data, file, url)
    echo(f"Deleted templates and comparison photos: {count}.")


@database.command()
@click.argument("name")
@_of_daemon
@yes
@click.pass_obj
def drop(given: Given, name: str, file: Path | None, url: str | None, yes: bool) -> None:
    """Drop the tables of NAME, a plugin that is not installed. Stop the daemon first.

    Removes its rows and its pending lines for good. `zkpush plugins list` shows it as missing
    before. Make a backup first. Asks for confirmation on a console, unless --yes is given.

    \b
    Example:
      zkpush --data /var/lib/zkpush database drop visitors
    """
    from ..maintenance import drop as drop_plugin

    with _explained(given) as data:
        confirm(f"The rows of the plugin {name} are lost for good. Drop them?", yes=yes)
        dropped = drop_plugin(data, file, url, name)
    echo(f"The plugin {name} has no rows any more; dropped: {', '.join(dropped) or 'nothing'}.")
