"""The words of `zkpush`, imported when they are used.

`zkpush --help` imports no word: the words of zkpush are in the table `WORDS`. A distribution adds
words by the entry point group `zkpush.words`, each as the name of a click command:

    [options.entry_points]
    zkpush.words =
        visitors = zkpush_visitors.cli:visitors

A plugin cannot replace a word of zkpush.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "zkpush.words"
_NOUNS = "zkpush.handlers"
WORDS = {
    "attendance": "List and follow attendance records (punches).",
    "audit": "List the audit log: changes, access to secrets, and refused requests.",
    "commands": "Queue commands for terminals and see their results.",
    "database": "Upgrade, check and re-key the database.",
    "devices": "List, approve, block and configure terminals.",
    "doctor": "Find out why a terminal sends nothing, or what is wrong with the installation.",
    "errors": "List errors that terminals report.",
    "files": "Manage files that terminals download (UPGRADE, PutFile) and upload (GetFile).",
    "forwarders": "Forward events to other programs: add, show, test and repair forwarders.",
    "idcards": "List identity cards that terminals read.",
    "jobs": "See, cancel and retry commands for many terminals.",
    "operations": "List operations on terminals, such as changes by an administrator.",
    "plugins": "List and check plugins.",
    "problems": "List problems of the server and of terminals.",
    "rejects": "List, retry or delete uploaded data that could not be decoded.",
    "simulate": "Run simulated terminals against a test server.",
    "tokens": "Create, list and revoke API tokens.",
    "users": "List, show and export users (the people on the terminals).",
}
"""Words of zkpush with their summaries. Each is a click command of the same name, in the `cli` part
of its capability, or else in the module of that name in this package."""
_OF_NOUNS = {
    "attendance": "attendance",
    "commands": "commands",
    "devices": "terminals",
    "doctor": "doctor",
    "errors": "logs",
    "files": "files",
    "forwarders": "forward",
    "idcards": "logs",
    "jobs": "jobs",
    "operations": "logs",
    "rejects": "rejects",
    "users": "people",
}
"""Our words that the `cli` part of a capability defines, with that capability."""


class Program(click.Group):
    """The `zkpush` command: imports a word when it is used, and prints errors safely.

    Errors may quote data of terminals; control characters in them are escaped.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all words."""
        return sorted(WORDS.keys() | _plugin_words().keys())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a word; `click.ClickException` if a plugin's word cannot be imported."""
        if cmd_name in WORDS:
            noun = _OF_NOUNS.get(cmd_name)
            module = f"{__package__}.{cmd_name}" if noun is None else f"{_NOUNS}.{noun}.cli"
            command: click.Command = getattr(import_module(module), cmd_name)
            return command
        entry = _plugin_words().get(cmd_name)
        return None if entry is None else _load(entry)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the words with their summaries, without importing them."""
        summaries = {
            **{name: f"Provided by {_source(entry)}." for name, entry in _plugin_words().items()},
            **WORDS,
        }
        limit = formatter.width - 6 - max(map(len, summaries))
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, click.Command(name, help=summary).get_short_help_str(limit))
                    for name, summary in sorted(summaries.items())
                ]
            )

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the command line."""
        with _visible_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _visible_errors():
            return super().invoke(ctx)


def _plugin_words() -> Mapping[str, EntryPoint]:
    """Words of installed plugins, by name."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


def check_words() -> list[tuple[str, str, str | None]]:
    """Return the words of plugins: name, distribution, and fault or None."""
    from importlib.metadata import entry_points

    checked: list[tuple[str, str, str | None]] = []
    taken = dict.fromkeys(WORDS, "zkpush")
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        fault = None
        owner = taken.setdefault(entry.name, _source(entry))
        if owner != _source(entry):
            fault = f"The word {entry.name} is of {owner} already."
        else:
            try:
                _load(entry)
            except click.ClickException as error:
                fault = error.message
        checked.append((entry.name, _source(entry), fault))
    return checked


def _source(entry: EntryPoint) -> str:
    return entry.module.partition(".")[0] if entry.dist is None else entry.dist.name


def _load(entry: EntryPoint) -> click.Command:
    try:
        command = entry.load()
    except Exception as error:
        raise click.ClickException(
            f"Cannot load {entry.name!r} of {_source(entry)}: {error!r}. Update or remove it."
        ) from error
    if not isinstance(command, click.Command):
        raise click.ClickException(
            f"Cannot load {entry.name!r} of {_source(entry)}: {entry.value} is not a click command."
        )
    return command


@contextmanager
def _visible_errors() -> Iterator[None]:
    try:
        yield
    except click.ClickException as error:
        from ..protocol.text import visible

        error.message = visible(error.message, "\n\t")  # type: ignore[misc]  # final in click
        raise
