"""What the command line imports, and when."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from importlib.metadata import EntryPoint

import click
import pytest
from click.testing import CliRunner

import zkpush.cli
import zkpush.simulator
from zkpush.cli import main, words

HEAVY = {"twisted.web", "treq", "sqlalchemy", "zkpush.persist", "zkpush.interfaces", "zkpush.tap"}
"""What no module of the command line or the simulator imports before a command needs it."""
HTTP_CLIENT = {"client", "downloads", "trust"}
"""The HTTP client of the command line: commands import it when they run."""
MODULES = [
    *(f"zkpush.cli.{each.name}" for each in pkgutil.iter_modules(zkpush.cli.__path__)),
    *(f"zkpush.simulator.{each.name}" for each in pkgutil.iter_modules(zkpush.simulator.__path__)),
]
LIGHT = [name for name in MODULES if name.removeprefix("zkpush.cli.") not in HTTP_CLIENT]
IMPORTED = "\nimport sys\nprint(*sys.modules, sep='\\n')"


def imported(code: str) -> set[str]:
    """The modules that a fresh interpreter has imported after some code."""
    command = [sys.executable, "-c", code + IMPORTED]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(made.stdout.splitlines())


def test_the_http_client_is_told_apart() -> None:
    """The modules that may import twisted.web exist, and the check sees that they do."""
    assert len(MODULES) - len(LIGHT) == len(HTTP_CLIENT)
    assert "twisted.web" in imported("import zkpush.cli.client")


@pytest.fixture(scope="module")
def came_with() -> dict[str, list[str]]:
    """What of `HEAVY` comes with each module, if they are imported one after another.

    One interpreter does for all: nothing heavy is there before the first module that imports it.
    """
    code = (
        "import importlib, json, sys\nfound = {}\n"
        f"for name in {LIGHT!r}:\n    before = {{*sys.modules}}\n"
        "    importlib.import_module(name)\n"
        f"    found[name] = [*{HEAVY!r}.intersection(sys.modules).difference(before)]\n"
        "print(json.dumps(found))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(made.stdout)
    return found


@pytest.mark.parametrize("name", LIGHT)
def test_a_module_imports_no_server_and_no_http(came_with: dict[str, list[str]], name: str) -> None:
    """Words and simulated terminals start without twisted.web, SQLAlchemy and the store."""
    assert came_with[name] == []


def test_help_imports_no_word() -> None:
    """`zkpush --help` lists the words without importing them, nor Twisted."""
    found = imported(
        "from zkpush.cli import main\nprint(main.main(['--help'], standalone_mode=False) or '')"
    )
    assert "Commands:" in found  # of the list
    assert found & {*HEAVY, "twisted", "msgspec", "rich"} == set()
    assert found & {word.module for word in words.own_words().values()} == set()


@pytest.mark.parametrize("word", words.own_words())
def test_a_summary_is_what_the_word_says_of_itself(word: str) -> None:
    """The list of words says the same as the help of each."""
    command = main.get_command(click.Context(main), word)
    assert command is not None
    said = click.Command(word, help=words.own_words()[word].summary).get_short_help_str(60)
    assert said == command.get_short_help_str(60)


@click.command()
def visitors() -> None:
    """List visitors."""
    click.echo("Nobody is here.")


NOT_A_COMMAND = 7


@pytest.fixture
def add_word(monkeypatch: pytest.MonkeyPatch):
    """Install an entry point for the test."""

    def add(name: str, value: str) -> None:
        entry = EntryPoint(name, value, words.ENTRY_POINTS)
        monkeypatch.setattr(
            "importlib.metadata.entry_points",
            lambda *, group: [entry] if group == words.ENTRY_POINTS else [],
        )

    return add


def run(*arguments: str) -> tuple[int, str]:
    """The exit status and the output."""
    result = CliRunner().invoke(main, arguments, prog_name="zkpush")
    return result.exit_code, result.output


def test_a_plugin_adds_a_word(add_word) -> None:
    """A word from the entry point group is listed with its package, and runs."""
    add_word("visitors", f"{__name__}:visitors")
    status, listed = run("--help")
    assert (status, "visitors    Provided by tests." in listed) == (0, True)
    assert run("visitors") == (0, "Nobody is here.\n")


def test_a_plugin_does_not_replace_a_word(add_word) -> None:
    """Our own words come first."""
    add_word("users", f"{__name__}:visitors")
    assert "List, change, import and export users" in run("--help")[1]
    assert "Nobody is here" not in run("users", "--help")[1]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("nowhere_to_be_found:visitors", "No module named 'nowhere_to_be_found'"),
        (f"{__name__}:nothing", "has no attribute 'nothing'"),
        (f"{__name__}:NOT_A_COMMAND", "is not a click command"),
    ],
)
def test_a_broken_word_is_an_error_of_its_own(add_word, value: str, why: str) -> None:
    """The error names the word and the reason; the other words go on working."""
    add_word("visitors", value)
    status, said = run("visitors")
    assert status == 1
    assert said.startswith("Error: Cannot load 'visitors'")
    assert why in said
    assert run("--help")[0] == 0
    assert run("users", "--help")[0] == 0
