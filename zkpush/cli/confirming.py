"""Confirmation of commands that delete something for good.

On a console they ask first, unless --yes is given. In a script, where nobody can answer, they do
not ask; those that can do most harm need --yes there.
"""

from __future__ import annotations

import sys

import click

yes = click.option("--yes", is_flag=True, help="Do not ask for confirmation on a console.")


def confirm(question: str, *, yes: bool) -> None:
    """Ask a question on a console; `click.Abort` unless the answer is yes."""
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True, err=True)


def must_confirm(warning: str, question: str, *, yes: bool) -> None:
    """Ask on a console, and refuse in a script, unless the caller has said yes in advance."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError(f"{warning} If that is meant, give --yes. Nothing was done.")
    confirm(f"{warning} {question}", yes=yes)
