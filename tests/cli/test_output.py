"""What people and programs read."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import AsyncIterator, Sequence

import pytest
from twisted.internet.defer import Deferred

import zkpush.cli
import zkpush.handlers
from zkpush.cli.client import ListPage
from zkpush.cli.output import print_list, print_object
from zkpush.cli.tables import Column, printable, with_clocks
from zkpush.cli.times import shown_instant, shown_wall_time


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


@pytest.mark.parametrize(
    ("tz", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
        ("XST-5:45", "UTC+05:45"),
        ("XST3:30", "UTC-03:30"),
    ],
)
def test_lists_name_the_clock_of_their_times_once(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tz: str, name: str
) -> None:
    """In a column that is never left out; a terminal's own clock is another one."""
    request.addfinalizer(time.tzset)
    monkeypatch.setenv("TZ", tz)
    time.tzset()
    columns = (
        Column("Added", "added_at", shown_instant, is_spare=True),
        Column("Seen", "seen_at", shown_instant),
        Column("Sent", "sent_at", shown_instant),
        Column("Time", "time", shown_wall_time),
        Column("Name", "name"),
    )
    assert [column.title for column in with_clocks(columns)] == [
        "Added",
        f"Seen ({name})",
        "Sent",
        "Time (terminal)",
        "Name",
    ]


def tables() -> dict[str, Sequence[Column]]:
    """The columns of all tables of the command line."""
    found = {}
    for package in (zkpush.cli, zkpush.handlers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "cli" in module.name:
                for name, value in vars(importlib.import_module(module.name)).items():
                    if isinstance(value, tuple) and value and isinstance(value[0], Column):
                        found[f"{module.name}.{name}"] = value
    return found


def test_each_table_with_times_names_their_clock() -> None:
    """Whatever shows a column: an instant of the API comes out as a time of this machine."""
    instant = "2026-03-01T12:00:00.000Z"
    shown = str(shown_instant(instant))
    silent = [
        f"{where}: {column.title}"
        for where, columns in tables().items()
        for column in columns
        for value in (instant, {"timestamp": instant, "id": 1, "type": "-"})
        if column.clock is None and shown == _shown(column, value)
    ]
    assert silent == []
    assert any(column.is_instant for columns in tables().values() for column in columns)


def _shown(column: Column, value: object) -> object:
    try:
        return column.show(value)
    except (TypeError, AttributeError, KeyError, ValueError):
        return None


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
