"""Completion of serial numbers, commands and parameters in the shell.

`eval "$(_ZKPUSH_COMPLETE=bash_source zkpush)"` switches it on (docs/command-line.md). A completion
never fails: without a daemon that answers, there is nothing to choose from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import click
from click.shell_completion import CompletionItem

from .replies import Item
from .running import run
from .target import Given

_DEVICES = ("devices",)
_CATALOGUE = ("commands", "catalogue")
MOST = 1000
"""Maximum number of items of a list to choose from."""
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""Completes an argument of a command."""


def serial_numbers(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the serial number of a terminal; its alias or state is the help of each."""
    (devices,) = stored_lists(context, _DEVICES)
    return _serial_numbers(devices, incomplete)


def names_of(path: str, key: str = "name") -> Complete:
    """Return the completion of the names, or of another value, of the items of a list.

    `path` is that of the list, with slashes.
    """

    def complete(
        context: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        (items,) = stored_lists(context, path.split("/"))
        names = [str(one[key]) for one in items]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete


def commands(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the name of a command, in quotes if it has several words."""
    (listed,) = stored_lists(context, _CATALOGUE)
    return _commands(_catalogue(listed), incomplete)


def words_to_send(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete serial numbers and a command, then the parameters of that command."""
    before = getattr(context.params.get(param.name or ""), "command", "")
    devices, listed = stored_lists(context, _DEVICES, _CATALOGUE)
    catalogue = _catalogue(listed)
    found = [
        CompletionItem(f"{parameter}=", help=meaning)
        for parameter, meaning in catalogue.get(before, _Command()).parameters.items()
        if parameter.startswith(incomplete)
    ]
    return found or [
        *_serial_numbers(devices, incomplete),
        *_commands(catalogue, incomplete),
    ]


def _serial_numbers(devices: Sequence[Item], incomplete: str) -> list[CompletionItem]:
    return [
        CompletionItem(one["sn"], help=one["alias"] or one["state"])
        for one in devices
        if one["sn"].startswith(incomplete)
    ]


def _commands(catalogue: Mapping[str, _Command], incomplete: str) -> list[CompletionItem]:
    return [
        CompletionItem(_quoted(name), help=command.meaning)
        for name, command in catalogue.items()
        if name.lower().startswith(incomplete.lower())
    ]


@attrs.frozen
class _Command:
    """The meaning of a command, and of its parameters by name."""

    meaning: str = ""
    parameters: Mapping[str, str] = {}


def _catalogue(listed: Sequence[Item]) -> Mapping[str, _Command]:
    """The catalogue of the daemon, which has the commands of the site; else the installed one."""
    from ..declarations import declarations

    asked = {
        one["command"]: _Command(
            one["meaning"], {param["name"]: param["meaning"] for param in one["params"]}
        )
        for one in listed
    }
    return asked or {
        command.name: _Command(
            command.meaning, {field.wire: field.meaning for field in command.parameters}
        )
        for command in declarations().catalogue.commands
    }


def stored_lists(context: click.Context, *paths: Sequence[str]) -> list[list[Item]]:
    """The items of some lists of the API, of each the newest; none if no daemon answers."""
    from .client import Api

    root = context.find_root()
    names = ("data", "url", "token", "ca")
    found: list[list[Item]] = [[] for _ in paths]

    async def ask(reactor: Any) -> None:
        api = Api(target, reactor)
        for items, path in zip(found, paths, strict=True):
            newest = {} if path == _CATALOGUE else {"order": "desc"}  # which has no order
            async for page in api.pages(*path, limit=MOST, filters=newest):
                items.extend(page.items)

    try:
        target = Given.by(root, *(root.params.get(name) for name in names)).target()
        run(ask)
    except (click.ClickException, click.Abort):
        return [[] for _ in paths]
    return found


def _quoted(name: str) -> str:
    """Quote a name of several words for bash, unless the word that is completed has a quote."""
    is_bash = os.environ.get("_ZKPUSH_COMPLETE") == "bash_complete"
    words = os.environ.get("COMP_WORDS", "")
    return f"'{name}'" if is_bash and " " in name and words.count("'") % 2 == 0 else name
