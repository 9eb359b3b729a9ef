"""Completion of serial numbers, commands and parameters in the shell.

`eval "$(_ZKPUSH_COMPLETE=bash_source zkpush)"` switches it on (docs/command-line.md). A completion
never fails: without a daemon that answers, there is nothing to choose from.
"""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import CompletionItem

from .running import run
from .target import Given


def serial_numbers(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the serial number of a terminal; its alias or state is the help of each."""
    return [
        CompletionItem(one["sn"], help=one["alias"] or one["state"])
        for one in _devices(context)
        if one["sn"].startswith(incomplete)
    ]


def words_to_send(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete serial numbers and a command, then the parameters of that command."""
    before = getattr(context.params.get(param.name or ""), "command", "")
    found = parameters(before, incomplete)
    return found or [*serial_numbers(context, param, incomplete), *commands(incomplete)]


def commands(incomplete: str) -> list[CompletionItem]:
    """Complete the name of a command, in quotes if it has several words."""
    from ..declarations import declarations

    return [
        CompletionItem(_quoted(command.name), help=command.meaning)
        for command in declarations().catalogue.commands
        if command.name.lower().startswith(incomplete.lower())
    ]


def parameters(name: str, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a parameter of a command."""
    from ..declarations import declarations

    return [
        CompletionItem(f"{field.wire}=", help=field.meaning)
        for command in declarations().catalogue.commands
        if command.name == name
        for field in command.parameters
        if field.wire.startswith(incomplete)
    ]


def _devices(context: click.Context) -> list[dict[str, Any]]:
    from .client import Api

    root = context.find_root()
    names = ("data", "url", "token", "ca")
    found: list[dict[str, Any]] = []

    async def ask(reactor: Any) -> None:
        async for page in Api(target, reactor).pages("devices"):
            found.extend(page.items)

    try:
        target = Given.by(root, *(root.params.get(name) for name in names)).target()
        run(ask)
    except (click.ClickException, click.Abort):
        return []
    return found


def _quoted(name: str) -> str:
    """Quote a name of several words for bash, unless the word that is completed has a quote."""
    is_bash = os.environ.get("_ZKPUSH_COMPLETE") == "bash_complete"
    words = os.environ.get("COMP_WORDS", "")
    return f"'{name}'" if is_bash and " " in name and words.count("'") % 2 == 0 else name
