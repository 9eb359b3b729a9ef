"""`zkpush`: the command line, for people and scripts.

All commands use the API of a daemon, on this machine or another one, except `database`, which works
on the database itself. Exit status: 0 success, 1 failure (the message is on stderr), 2 usage error.
"""

from __future__ import annotations

from pathlib import Path

import click

from .. import __version__
from .words import Program


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    # Whether it is readable is checked where it is read, with advice.
    type=click.Path(path_type=Path, readable=False),
    envvar="ZKPUSH_DATA",
    metavar="DIR",
    show_envvar=True,
    help="Data directory of a daemon on this machine. The address of the API and the token are "
    "read from it.",
)
@click.option(
    "--url",
    envvar="ZKPUSH_URL",
    metavar="URL",
    show_envvar=True,
    help="URL of the API of a daemon on another machine, such as https://hr.example.com:8082. "
    "Needs --token.",
)
@click.option(
    "--token",
    envvar="ZKPUSH_TOKEN",
    metavar="TOKEN",
    show_envvar=True,
    help="API token. Prefer the environment variable: other users of this machine can see "
    "command lines.",
)
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    envvar="ZKPUSH_CA",
    metavar="FILE",
    show_envvar=True,
    help="PEM file with the CA that signed the server's certificate, or with that certificate "
    "itself if it is self-signed. Default: the CAs that this machine trusts.",
)
@click.version_option(__version__, prog_name="zkpush")
@click.pass_context
def main(
    context: click.Context, data: Path | None, url: str | None, token: str | None, ca: Path | None
) -> None:
    """Manage the attendance terminals of a zkpush server.

    The server itself is `twistd -n zkpush --data DIR`; `twistd zkpush --help` has its options.
    `zkpush docs` has the documentation. `zkpush docs command-line` shows how to make the shell
    complete commands, options and serial numbers.

    \b
    Examples:
      zkpush --data data devices list
      zkpush --data data devices approve 3434174801234 --timezone Europe/Berlin
      zkpush --data data attendance list --since 2026-03-01 --csv
    """
    from .target import Given

    context.obj = Given.by(context, data, url, token, ca)
