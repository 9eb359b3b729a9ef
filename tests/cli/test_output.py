"""What people and programs read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from twisted.internet.defer import Deferred

from zkpush.cli.client import ListPage
from zkpush.cli.output import print_list, print_object
from zkpush.cli.tables import Column, printable


async def pages(*parts: list[dict[str, object]]) -> AsyncIterator[ListPage]:
    """Parts of a list."""
    for part in parts:
        yield ListPage(part, None)


def printed(capsys: pytest.CaptureFixture[str], *parts: list[dict[str, object]]) -> list[str]:
    """The lines of a table of keys a and b."""
    columns = (Column("A", "a"), Column("B", "b", lambda value: value * 2))
    Deferred.fromCoroutine(print_list(pages(*parts), columns, as_json=False, empty="none"))
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (36.5, "36.5"),
        ({"PIN": "1", "Name": "Ann"}, "PIN=1 Name=Ann"),
        (["a", None], "a, "),
        ("\x1b]0;x\x07 a\nb \u2028\x9b", "\\x1b]0;x\\x07 a\\x0ab \\u2028\\x9b"),
        ("Zoë 张伟 [red]", "Zoë 张伟 [red]"),
    ],
)
def test_printable(value: object, text: str) -> None:
    """A value is shown on one line, and cannot steer the screen."""
    assert printable(value) == text


def test_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns stand under each other, over all parts of a list, also for wide characters."""
    assert printed(
        capsys,
        [{"a": "[b]1", "b": "x"}, {"a": "张伟", "b": "y"}],
        [{"a": "2", "b": "z"}],
        [],
    ) == [
        "A     B",
        "[b]1  xx",
        "张伟  yy",
        "2     zz",
    ]


def test_long_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is never broken, however narrow the screen is: it can be searched and copied."""
    monkeypatch.setenv("COLUMNS", "20")
    assert printed(capsys, [{"a": "x" * 50, "b": "y"}])[1] == "x" * 50 + "  yy"


def test_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A list without items is said to have none, beside the output."""
    columns = (Column("A", "a"),)
    Deferred.fromCoroutine(print_list(pages([]), columns, as_json=False, empty="none"))
    assert capsys.readouterr() == ("", "none\n")


def test_object(capsys: pytest.CaptureFixture[str]) -> None:
    """An object has a line for each value, and for each part of a value."""
    item = {"seen_at": None, "settings": {"Delay": 5, "Realtime": 0}, "problems": ["a", "b"]}
    print_object(item, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "seen at   -",
        "settings  Delay=5",
        "          Realtime=0",
        "problems  a",
        "          b",
    ]
