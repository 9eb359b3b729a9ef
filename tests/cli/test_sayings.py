"""Errors of the API in the words of the command line."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterator

import click
import pytest

import zkpush
from zkpush.cli import main
from zkpush.cli.sayings import for_command

from .program import misused
from .test_help import LEAVES

SOURCES = pathlib.Path(zkpush.__file__).parent


@pytest.mark.parametrize(
    ("words", "message", "shown"),
    [
        ("devices replace", "allow it with `has_records`.", "allow it with --has-records."),
        (
            "users import",
            "This would remove 8 of 9 people, and nothing was changed. If that is meant, repeat "
            "the request with confirm=8.",
            "This would remove 8 of 9 people, and nothing was changed. If that is meant, run the "
            "command again with --confirm 8.",
        ),
        (
            "areas delete",
            "Move it first, with `area` of PATCH devices/{sn}.",
            "Move it first, with `zkpush devices set SN area=NAME`.",
        ),
        (
            "users erase",
            "Take the person out of yours: `areas` [] of PUT users/7.",
            "Take the person out of yours: `zkpush users put 7 areas=`.",
        ),
        (
            "devices copy",
            "Add them to the area North: with `areas` of PUT users/{pin}, or all of a terminal of "
            "that area with POST devices/{sn}/adopt.",
            "Add them to the area North: with `zkpush users put PIN areas=NAME`, or all of a "
            "terminal of that area with `zkpush devices adopt SN`.",
        ),
        (
            "users put",
            "there is no member `foo`; it takes name",
            "there is no field `foo`; it takes name",
        ),
        (
            "operations list",
            "device: There is no terminal 'X'.",
            "There is no terminal 'X'. See: zkpush devices list, zkpush doctor X",
        ),
        (
            "devices recompute",
            "until: is before `since`; foo: is `bar`.",
            "--until: is before --since; foo: is `bar`.",
        ),
        (
            "attendance verify",
            "expires_in: it is an integer from 1 to 2592000",
            "--wait: it is an integer from 1 to 2592000",
        ),
        ("users enrol", "what: there is no `toe`", "WHAT: there is no `toe`"),
        ("attendance verify", "since: is not over", "--day: is not over"),
        ("commands send", "window.begin: it is a text", "--window: it is a text"),
        ("devices approve", "comm_key: It has 64 hex digits", "--key: It has 64 hex digits"),
        ("tokens create", "expires_at: is over", "--expires: is over"),
        ("forwarders add", "settings: `url` is missing", "--url is missing"),
        (
            "forwarders add",
            "url: It is local: set allow_private.",
            "--url: It is local: set --allow-private.",
        ),
    ],
)
def test_an_error_names_what_was_typed(words: str, message: str, shown: str) -> None:
    """Options, arguments, fields and commands, instead of members and requests."""
    command = LEAVES[tuple(words.split())]
    with click.Context(command, parent=click.Context(main)):
        assert for_command(message) == shown


REQUEST = re.compile(r"\b(GET|PUT|POST|PATCH|DELETE) [a-z]")


def texts(node: ast.AST) -> Iterator[str]:
    """The texts in a part of a program; values in them are 7."""
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "7" for part in node.values)
        yield "".join(map(str, parts))
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    else:
        for part in ast.iter_child_nodes(node):
            yield from texts(part)


def raised() -> Iterator[str]:
    """The texts that name requests, of all errors that the server raises."""
    for path in SOURCES.rglob("*.py"):
        source = path.read_text()
        if re.search(r"\b(GET|PUT|POST|PATCH|DELETE) ", source):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Raise):
                    yield from filter(REQUEST.search, texts(node))


def test_every_request_that_an_error_names_is_a_command() -> None:
    """No error says `PATCH devices/{sn}` to a person who typed a command."""
    named = set(raised())
    assert len(named) > 2
    for text in named:
        shown = for_command(text)
        assert not REQUEST.search(shown), shown
        for line in re.findall(r"`zkpush ([a-z-]+ [a-z-]+)[^`]*`", shown):
            assert tuple(line.split()) in LEAVES


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("attendence", "list"), "No such command 'attendence'. Did you mean attendance?"),
        (("devices", "adopted"), "No such command 'adopted'. Did you mean adopt?"),
        (
            ("devices", "list", "--data", "x"),
            "--data stands before the command: zkpush --data DIR devices list",
        ),
    ],
)
def test_what_stands_at_the_wrong_place_or_is_mistyped_is_shown(
    words: tuple[str, ...], shown: str
) -> None:
    """Commands of the program and of nouns, and options of the program itself."""
    assert misused(*words).stderr.splitlines()[-1] == f"Error: {shown}"
