"""`zkpush`: the command line, for people and their scripts.

It talks to a daemon through its API only, on this machine or on another one; but for `database`,
which is for when no daemon runs. Exit status 0 means done, 1 failed (the message is on stderr), 2
not understood.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from .. import __version__
from .attendance import attendance
from .audit import audit
from .commands import commands
from .database import database
from .devices import devices
from .files import files
from .output import Program
from .plugins import plugins
from .problems import problems
from .simulate import simulate
from .target import Given
from .tokens import tokens
from .users import users


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="ZKPUSH_DATA",
    metavar="DIR",
    show_envvar=True,
    help="Data directory of a daemon on this machine; says where it is, and holds its token.",
)
@click.option(
    "--url",
    envvar="ZKPUSH_URL",
    metavar="URL",
    show_envvar=True,
    help="Where the API of a daemon on another machine is, such as https://hr.example.com:8082.",
)
@click.option(
    "--token",
    envvar="ZKPUSH_TOKEN",
    metavar="TOKEN",
    show_envvar=True,
    help="Token for the API. Other users of this machine can see a command line, but not a "
    "variable.",
)
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    envvar="ZKPUSH_CA",
    metavar="FILE",
    show_envvar=True,
    help="PEM file of the authority that signed the API's certificate, or of that certificate if "
    "it is self-signed; without it, those that this machine trusts.",
)
@click.version_option(__version__, prog_name="zkpush")
@click.pass_context
def main(
    context: click.Context, data: Path | None, url: str | None, token: str | None, ca: Path | None
) -> None:
    """Work with the attendance terminals that push to a zkpush server."""
    context.obj = attrs.evolve(Given.by(context, data, url, token), ca=ca)


for command in (
    devices,
    attendance,
    users,
    commands,
    files,
    plugins,
    problems,
    tokens,
    audit,
    simulate,
    database,
):
    main.add_command(command)
