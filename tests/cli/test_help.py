"""`--help` is enough to work from, down to every command."""

from __future__ import annotations

import pathlib
import re
import shlex
from collections.abc import Iterator

import click
import msgspec
import pytest
from click.testing import CliRunner

from zkpush.cli import completion, main
from zkpush.cli.groups import OLDEST_FIRST, ListCommand
from zkpush.handlers.forward.manual import kinds
from zkpush.problems import ProblemCode

ROOT = pathlib.Path(__file__).parents[2]
Leaf = tuple[tuple[str, ...], click.Command]


def leaves(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """All commands that do something, each with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command


LEAVES = dict(leaves(main))
EXAMPLE = re.compile(r"^  Examples?:\n((?:    .+\n)+)", re.MULTILINE)


def helped(words: tuple[str, ...]) -> str:
    """What a command says of itself."""
    result = CliRunner().invoke(main, [*words, "--help"], env={"COLUMNS": "100"})
    assert result.exit_code == 0
    return result.output


def parsed(line: str) -> None:
    """Parse a line as a person types it; an error if there is no such command or option."""
    words = shlex.split(line.partition(" > ")[0].replace(" ID", " 12"))
    assert words.pop(0) == "zkpush"
    while words[0].startswith("--"):
        del words[:2]
    command: click.Command = main
    context = click.Context(main, **main.context_settings)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, line
        command = found
        del words[0]
    command.make_context(str(command.name), words, parent=context)


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_a_sentence_an_example_and_its_exit_status(
    words: tuple[str, ...],
) -> None:
    """The examples are lines that the command takes."""
    text = helped(words)
    first = (LEAVES[words].help or "").split("\n\n", maxsplit=1)[0]
    assert re.match(r"[A-Z][^\n]*", first)
    assert first.rstrip().endswith("."), first
    found = EXAMPLE.search(text)
    assert found is not None, text
    lines = [line.strip() for line in found[1].splitlines()]
    for line in lines:
        assert line.startswith("zkpush ")
        assert " ".join(words) in line
        parsed(line)
    assert "Exit status: 0 " in text


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_option_says_what_it_means(words: tuple[str, ...]) -> None:
    """With its unit or form, and its default where there is one."""
    for param in LEAVES[words].params:
        if not isinstance(param, click.Option):
            continue
        assert param.help, param.name
        assert param.help.endswith((".", ")")), param.help
        if not param.is_flag and not isinstance(param.type, click.Choice):
            assert param.metavar, f"{param.name} says nothing of its value"
        if isinstance(param.default, int | float) and not isinstance(param.default, bool):
            assert param.show_default or "Default: " in param.help, param.name


LISTS = {words: one for words, one in LEAVES.items() if isinstance(one, ListCommand)}


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_list_says_its_order(words: tuple[str, ...]) -> None:
    """The help of each list has it, and the manual has the same."""
    if words not in LISTS:
        assert words[-1] != "list"
        return
    order = LISTS[words].order
    assert f"Order: {order}." in " ".join(helped(words).split())
    manual = (ROOT / "docs" / "command-line.md").read_text()
    row = f"| `zkpush {' '.join(words)}` | {order} |\n"
    assert row in manual or f"| every other list of records | {order} |\n" in manual


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_every_list_limits_in_the_same_way(words: tuple[str, ...]) -> None:
    """To the newest, with the options of time, in lists of what happened; else to the first."""
    options = {name: one for one in LISTS[words].params for name in one.opts}
    is_of_time = LISTS[words].order == OLDEST_FIRST and "--last" in options
    if is_of_time:
        assert {"--last", "--limit", "--today", "--since", "--until"} <= options.keys()
        assert options["--limit"].help == "Print the newest N."
    elif "--limit" in options and words != ("devices", "trace"):
        assert options["--limit"].help == "Print the first N."
        assert LISTS[words].order != OLDEST_FIRST


CREATED = {
    ("accounts", "add"),
    ("areas", "put"),
    ("commands", "catalogue"),
    ("console", "certificate"),
    ("database", "drop"),
    ("docs",),
    ("files", "add"),
    ("forwarders", "add"),
    ("plugins", "check"),
    ("tokens", "create"),
}
"""Commands whose argument names nothing that the server has stored."""
OTHERS = {"pin", "search", "pairs", "values", "words", "data", "file", "path", "what"}
"""Arguments that are people, of whom there are too many, values, and files."""


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_what_a_command_is_about_is_completed(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each argument that names something stored, such as a terminal or a forwarder."""
    item = {"sn": "12", "alias": "Gate", "name": "12", "id": 12, "key": "12"}
    monkeypatch.setattr(completion, "stored_lists", lambda context, *paths: [[item] for _ in paths])
    for param in LEAVES[words].params:
        if not isinstance(param, click.Argument) or isinstance(param.type, click.Choice):
            continue  # click completes choices
        if words not in CREATED and param.name not in OTHERS:
            context = click.Context(LEAVES[words], parent=click.Context(main))
            assert param.shell_complete(context, "12"), param.name


def test_help_names_only_what_an_installed_user_has() -> None:
    """Pages of the documentation are named by the word that prints them."""
    for words in LEAVES:
        text = helped(words)
        assert "docs/" not in text, words
        for page in re.findall(r"`zkpush\s+docs\s+([a-z-]+)`", text):
            assert (ROOT / "docs" / f"{page}.md").exists(), page
    for code in ProblemCode:
        assert "docs/" not in code.advice.replace("zkpush docs", "")


def test_the_documentation_is_printed() -> None:
    """All pages are listed, each can be read, and a mistyped one is answered with the right one."""
    listed = CliRunner().invoke(main, ["docs"])
    assert listed.exit_code == 0
    for page in (ROOT / "docs").glob("*.md"):
        assert page.stem == "README" or f"{page.stem} " in listed.stdout
    assert (
        CliRunner().invoke(main, ["docs", "problems"]).stdout
        == (ROOT / "docs" / "problems.md").read_text()
    )
    wrong = CliRunner().invoke(main, ["docs", "problem"])
    assert wrong.exit_code == 1
    assert "Did you mean problems?" in wrong.stderr


def test_a_stranger_finds_the_server() -> None:
    """`zkpush --help` says how to start it."""
    text = " ".join(helped(()).split())
    assert "`twistd -n zkpush --data DIR`" in text
    assert "`zkpush docs`" in text


def test_the_help_of_forwarders_has_their_kinds() -> None:
    """Kinds with their settings, and the kinds of events that they can forward."""
    for word in ("add", "set"):
        text = " ".join(helped(("forwarders", word)).split())
        for kind in kinds():
            assert f"{kind.name}: {kind.summary}. Settings: " in text
            for field in msgspec.structs.fields(kind.settings):
                assert field.name in text
        for kind in ("attendance", "command", "device", "problem", "user"):
            assert f"{kind}, " in text


QUOTED = sorted(
    {line for code in ProblemCode for line in re.findall(r"`(zkpush [^`]*)`", code.advice)}
)


@pytest.mark.parametrize("line", QUOTED)
def test_commands_in_advice_exist(line: str) -> None:
    """What a problem tells people to type is a command with these options."""
    parsed(line)


def test_a_list_of_one_terminal_also_takes_an_option() -> None:
    """A list whose terminal may be left out takes it as `--device`, too."""
    for words, command in LEAVES.items():
        names = {one.name: one for one in command.params}
        sn = names.get("sn")
        if isinstance(command, ListCommand) and isinstance(sn, click.Argument):
            assert sn.required or "device" in names, words
