"""`zkpush doctor`: what is wrong with a terminal, or with the installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from ...cli.arguments import as_json, serial_number
from ...cli.completion import serial_numbers
from ...cli.groups import LeafCommand
from ...cli.output import echo, print_json
from ...cli.pasting import pasteable
from ...cli.replies import Unreachable
from ...cli.running import run
from ...cli.tables import folded, printable, screen_width, steps_of
from ...cli.target import Given, Target, Unreadable
from ...cli.times import with_local_times
from .words import WORDS

_STATUS = "Exit status: 0 without an error, 1 if a check is an error or fails, 2 wrong usage."


_HELP = f"""{WORDS["doctor"]}

With SN, checks one terminal: connection, admission, refusals, zone, clock, records, rejects and
queue. If SN is not among the terminals, shows why requests with this serial number were refused in
the last day. Without SN, checks the installation: ports, storage, modes of files, key,
certificates, database, audit log and plugins; while no daemon runs, from the data directory.

\b
Examples:
  zkpush doctor 3434174801234
  zkpush --data /var/lib/zkpush doctor
"""


MOST_SAID_AGAIN = 300
"""Most characters of the advice on an installation that is said again as what to do next."""


@click.command(cls=LeafCommand, status=_STATUS, help=_HELP)
@click.argument(
    "sn", metavar="[SN]", required=False, callback=serial_number, shell_complete=serial_numbers
)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration file of the daemon, for the checks while none runs.",
)
@click.option(
    "--database",
    "url",
    metavar="URL",
    help="The --database option of the daemon, for the checks while none runs.",
)
@as_json
@click.pass_obj
def doctor(given: Given, sn: str | None, file: Path | None, url: str | None, as_json: bool) -> None:
    """Ask the daemon, or look into the data directory of one that does not run."""
    try:
        found = _ask(given.target(), sn)
        following = found["next"] if sn is not None else _short(found)
    except (click.UsageError, Unreadable):
        raise
    except click.ClickException as error:
        is_silent = isinstance(error, Unreachable) or given.url is None
        if sn is not None or given.data is None or not is_silent or not given.data.is_dir():
            raise
        found = _look(given.data, file, url, error.message)
        following = found["next"]
    if as_json:
        print_json(found, indent=2)
    else:
        _print(found["checks"], following)
    if found["state"] == "error":
        raise SystemExit(1)


def _ask(target: Target, sn: str | None) -> Mapping[str, Any]:
    from ...cli.client import Api

    found: dict[str, Any] = {}
    path = ("doctor",) if sn is None else ("devices", sn, "doctor")

    async def ask(reactor: Any) -> None:
        found.update(await Api(target, reactor).get(*path))

    run(ask)
    return found


def _look(data: Path, file: Path | None, url: str | None, why: str) -> Mapping[str, Any]:
    """Make the checks that need no daemon."""
    from ...examination import examine_directory  # slow: imports the database

    found: Mapping[str, Any] = msgspec.to_builtins(examine_directory(data, file, url, why))
    return found


def _print(checks: Sequence[Mapping[str, str]], following: str) -> None:
    width = max(len(check["name"]) for check in checks)
    screen = screen_width()
    margin = f"{'':8} {'':{width}}  "
    for check in checks:
        state, name = check["state"], printable(check["name"])
        lines = folded(with_local_times(printable(check["detail"])), screen, margin)
        if check["advice"]:
            lines += folded(f"-> {printable(pasteable(check['advice']))}", screen, margin)
        echo("\n".join([f"{state:8} {name:{width}}  {lines[0].lstrip()}", *lines[1:]]))
    echo("")
    echo("\n".join(folded(f"Next: {printable(pasteable(_first_step(following)))}", screen)))


def _short(found: Mapping[str, Any]) -> str:
    """Return what to do first about an installation; only where it stands, if it is long."""
    following: str = found["next"]
    if len(following) <= MOST_SAID_AGAIN:
        return following
    names = [check["name"] for check in found["checks"] if check["advice"] == following]
    return f"See to `{names[0]}` first; what to do stands above." if names else following


def _first_step(advice: str) -> str:
    """Return the first of the numbered steps of an advice, which stands above in full."""
    first, *more = steps_of(advice)
    return f"{first.removeprefix('1. ')} (Further steps stand above.)" if more else first
