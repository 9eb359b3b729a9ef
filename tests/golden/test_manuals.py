"""The API and the command line describe themselves as recorded."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import msgspec
import pytest
import pytest_twisted
from click.testing import CliRunner

from zkpush import __version__
from zkpush.cli import main

from ..declared import COMMANDS
from ..rig import Rig

WIDTH = "80"


def indented(raw: bytes) -> str:
    """JSON with a value on each line."""
    return msgspec.json.format(raw, indent=2).decode() + "\n"


@pytest_twisted.ensureDeferred
async def test_the_openapi_document_is_as_recorded(
    rig: Rig, golden: Callable[[str, str], None]
) -> None:
    """Programs that were generated from it go on working; only the version is left out."""
    response = await rig.api("GET", "/openapi.json")
    version = f'"version":"{__version__}"'.encode()
    assert version in response.body
    golden("openapi.json", indented(response.body.replace(version, b'"version":"VERSION"')))


@pytest_twisted.ensureDeferred
async def test_the_catalogue_is_as_recorded(rig: Rig, golden: Callable[[str, str], None]) -> None:
    """`GET commands/catalogue` lists the same commands and parameters."""
    response = await rig.api("GET", "/commands/catalogue")
    golden("catalogue.json", indented(response.body))


def helped(*words: str) -> str:
    """What a word says of itself."""
    result = CliRunner().invoke(
        main, [*words, "--help"], prog_name="zkpush", env={"COLUMNS": WIDTH}
    )
    assert result.exit_code == 0, result.output
    return f"$ zkpush {' '.join((*words, '--help'))}\n{result.stdout}"


def under(context: click.Context, words: tuple[str, ...]) -> Iterator[str]:
    """The help of all words under a group, and of the group."""
    yield helped(*words)
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield from under(click.Context(command, context, name), (*words, name))


WORDS = main.list_commands(click.Context(main))
GENERATED = {
    "  Commands:": "the commands of catalogue.json",
    "  KEY is one of:": "the changeable attributes of docs/attributes.md",
}
"""Lists in help texts that follow from declarations, and where else these are recorded."""


def test_the_help_of_zkpush_is_as_recorded(golden: Callable[[str, str], None]) -> None:
    """`zkpush --help` lists the same words and options."""
    golden("help/zkpush.txt", helped())


@pytest.mark.parametrize("word", WORDS)
def test_the_help_of_every_word_is_as_recorded(
    word: str, golden: Callable[[str, str], None]
) -> None:
    """Each command and each group under a word has the same arguments and options."""
    context = click.Context(main)
    command = main.get_command(context, word)
    assert command is not None
    texts = "\n".join(under(click.Context(command, context, word), (word,)))
    for head, source in GENERATED.items():
        texts = re.sub(rf"(?m)^({head}\n)(?: +\S.*\n)+", rf"\1    ({source})\n", texts)
    golden(f"help/{word}.txt", texts)


def test_the_help_lists_every_command_of_the_catalogue() -> None:
    """`zkpush commands send --help` has each command with its meaning, in order."""
    listed = helped("commands", "send").partition("\n  Commands:\n")[2]
    entries = [line.strip().split("  ", 1) for line in listed.partition("\n\n")[0].splitlines()]
    names = [(command.name, command.meaning) for command in COMMANDS]
    assert [(name, meaning.strip()) for name, meaning in entries] == names


@pytest.mark.long
def test_the_help_of_twistd_is_as_recorded(golden: Callable[[str, str], None]) -> None:
    """`twistd zkpush --help` lists the same options."""
    command = [pathlib.Path(sys.executable).with_name("twistd"), "zkpush", "--help"]
    environment = {**os.environ, "COLUMNS": WIDTH}
    made = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    golden("help/twistd.txt", made.stdout)
