"""`zkpush users export` and `import`: all users as a CSV file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...cli.areas import known_areas, note_new_areas
from ...cli.arguments import as_json, contents
from ...cli.groups import LeafCommand
from ...cli.output import echo, print_csv, print_object
from ...cli.running import with_api
from ...counting import counted

if TYPE_CHECKING:
    from ...cli.client import Api

_SECRETS = {"secrets": "true"}
"""The filter of lists with passwords."""


@click.command(cls=LeafCommand)
@click.argument("file", metavar="FILE.csv", type=click.Path(path_type=Path, dir_okay=False))
@with_api
async def export(api: Api, file: Path) -> None:
    """Write all users to a CSV file, readable only by its owner. `-` writes to stdout.

    With the scope `biometrics`, the file has passwords; the audit log records that you read them.

    \b
    Example:
      zkpush users export users.csv
    """
    if str(file) == "-":
        count = await print_csv(api, "users", filters=_SECRETS)
        echo(f"{counted(count, 'user')} written.", err=True)
        return
    try:
        with open(file, "xb", opener=_private) as out:
            try:
                count = await print_csv(api, "users", filters=_SECRETS, file=out)
            except BaseException:
                file.unlink()
                raise
    except FileExistsError:
        raise click.ClickException(f"{file} exists already; give another file name.") from None
    except OSError as error:
        raise click.ClickException(f"Cannot write {file}: {error.strerror}.") from None
    echo(f"{counted(count, 'user')} written to {file}.", err=True)


def _private(path: str, flags: int) -> int:
    """Open a file accessible only to its owner, since it may contain passwords."""
    return os.open(path, flags, 0o600)


@click.command("import", cls=LeafCommand)
@click.argument(
    "file", metavar="FILE.csv", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True)
)
@click.option("--dry-run", is_flag=True, help="Report only; store nothing.")
@click.option("--remove-absent", is_flag=True, help="Remove the users who are not in the file.")
@click.option(
    "--confirm",
    type=click.IntRange(min=0),
    metavar="N",
    help="Number of people whom --remove-absent removes, as --dry-run shows it. Needed if they are "
    "more than 20, or 5% of all and at least 3.",
)
@as_json
@with_api
async def import_(
    api: Api,
    file: Path,
    dry_run: bool,
    remove_absent: bool,
    confirm: int | None,
    as_json: bool,
) -> None:
    """Add and change users from a CSV file in UTF-8; `-` reads from stdin.

    The first line names the columns: pin, and any of the fields of `zkpush users put`. An empty
    cell leaves a field unchanged. A file of `zkpush users export` can be imported. Nothing is
    stored unless all lines are right.

    \b
    Examples:
      zkpush users import users.csv --dry-run
      zkpush users import users.csv
    """
    query = {
        name: str(value).lower()
        for name, value in (
            ("dry_run", dry_run),
            ("remove_absent", remove_absent),
            ("confirm", confirm),
        )
        if value not in (None, False)
    }
    known = await known_areas(api)
    report = await api.send("POST", "users", "import", content=contents(file), query=query)
    if as_json:
        print_object(report, as_json=True)
    else:
        for line in report["lines"]:
            detail = f": {line['detail']}" if line["detail"] else ""
            echo(f"line {line['line']}, user {line['pin'] or '?'}: {line['action']}{detail}")
        counts = ", ".join(
            f"{report[name]} {name}" for name in ("added", "changed", "unchanged", "removed")
        )
        done = "Not stored"
        if report["stored"]:
            done = "Stored"
        elif dry_run:
            wrong = "Nothing would be stored before the wrong lines are corrected. Then"
            done = wrong if report["errors"] else "Would be stored"
        echo(f"{done}: {counts}, {report['errors']} wrong.")
    note_new_areas(report["new_areas"], known)
    if report["errors"]:
        raise SystemExit(1)
