"""Commands that the manual and the help name: they exist, with their options."""

from __future__ import annotations

import pathlib
import re
import shlex
from collections.abc import Iterator

import click
import pytest

from zkpush.cli import main

ROOT = pathlib.Path(__file__).parents[2]
OF_OTHERS = {"developing.md"}
"""Pages with commands of a noun that is only their example."""
QUOTED = re.compile(r"`(zkpush\s[^`]+)`")
TYPED = re.compile(r"^(?: {4,}|.*\$ )(?:\S*/bin/)?(zkpush .*)$", re.MULTILINE)


def helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """The texts that the help of a command is made from, and those of all below it."""
    options = [getattr(one, "help", None) or "" for one in command.params]
    yield name, " ".join([command.help or "", command.epilog or "", *options])
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            assert below is not None
            yield from helps(below, f"{name} {word}")


PAGES = {
    path.name: path.read_text().replace("\\\n", " ")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if path.name not in OF_OTHERS
}
SOURCES = {**PAGES, **dict(helps(main, "zkpush"))}


def named(text: str) -> set[str]:
    """The lines of `zkpush` in a text, without what another program does with their output."""
    typed = [re.split(r" (?:[&|>]|# )", line)[0] for line in TYPED.findall(text)]
    return {" ".join(line.split()) for line in [*QUOTED.findall(text), *typed]}


def mistake(line: str) -> str | None:
    """What there is not: a command, or an option of one."""
    words = shlex.split(line)[1:]
    command: click.Command = main
    options = set[str]()
    while words:
        word = words.pop(0)
        options |= {name for one in command.params for name in [*one.opts, *one.secondary_opts]}
        if word.startswith("--"):
            if word.split("=")[0] not in {*options, "--help"}:
                return word
            if command is main and word != "--help" and words:
                del words[0]
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return word
            command = found
    return None


@pytest.mark.parametrize("source", SOURCES)
def test_commands_that_are_named_exist(source: str) -> None:
    """So does each option that is named with one."""
    assert {line: wrong for line in named(SOURCES[source]) if (wrong := mistake(line))} == {}


def test_a_command_that_does_not_exist_is_seen() -> None:
    """Neither words nor options can be invented."""
    assert mistake("zkpush completion bash") == "completion"
    assert mistake("zkpush --data data devices approve SN --zone UTC") == "--zone"
    assert mistake("zkpush --data data devices approve SN --timezone UTC") is None
    assert named("`zkpush\n docs x` and\n\n    $ zkpush jobs list > f\n") == {
        "zkpush docs x",
        "zkpush jobs list",
    }
    assert len(PAGES) > 20
