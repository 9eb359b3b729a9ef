"""The words of `zkpush`, imported when they are used.

`zkpush --help` imports no word. The module `words` in the folder of a noun maps its words to their
summaries, in `WORDS`; each is a click command of the same name in the module `cli` beside it. A
distribution adds words by the entry point group `zkpush.words`, each as the name of a click
command:

    [options.entry_points]
    zkpush.words =
        visitors = zkpush_visitors.cli:visitors

A plugin cannot replace a word of zkpush.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..enginewords import ENGINE_WORDS
from .groups import LONGEST_SUMMARY, SuggestingGroup

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "zkpush.words"
_NOUNS = "zkpush.handlers"


class OwnWord(NamedTuple):
    """A word of zkpush."""

    module: str
    """Where its click command is."""
    summary: str


@functools.cache
def own_words() -> Mapping[str, OwnWord]:
    """Return the words of zkpush by name: those of the engines and those of the nouns."""
    found = {
        name: OwnWord(f"{__package__}.{name}", summary) for name, summary in ENGINE_WORDS.items()
    }
    for noun in iter_modules(import_module(_NOUNS).__path__, f"{_NOUNS}."):
        if find_spec(f"{noun.name}.words") is not None:
            declared = import_module(f"{noun.name}.words").WORDS
            found |= {name: OwnWord(f"{noun.name}.cli", declared[name]) for name in declared}
    return found


class Program(SuggestingGroup):
    """The `zkpush` command: imports a word when it is used, and prints errors safely.

    Errors may quote data of terminals; control characters in them are escaped.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all words."""
        return sorted(own_words().keys() | _plugin_words().keys())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a word; `click.ClickException` if a plugin's word cannot be imported."""
        word = own_words().get(cmd_name)
        if word is not None:
            command: click.Command = getattr(import_module(word.module), cmd_name)
            return command
        entry = _plugin_words().get(cmd_name)
        return None if entry is None else _load(entry)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the words with their summaries, without importing them."""
        summaries = {
            **{name: f"Provided by {_source(entry)}." for name, entry in _plugin_words().items()},
            **{name: word.summary for name, word in own_words().items()},
        }
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, click.Command(name, help=summary).get_short_help_str(LONGEST_SUMMARY))
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
    taken = dict.fromkeys(own_words(), "zkpush")
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
