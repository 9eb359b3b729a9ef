"""What people and programs read: tables, details and JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

import attrs
import click
import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ..protocol.text import visible, visible_json
from .replies import Item, ListPage

if TYPE_CHECKING:
    from .client import Api

GAP = 2
"""Blanks between two columns."""
_STYLES = {
    "approved": "green",
    "done": "green",
    "pending": "yellow",
    "blocked": "red",
    "failed": "red",
    "expired": "red",
    "unknown": "red",
}


@attrs.frozen
class Column:
    """A column of a table."""

    title: str
    key: str
    """The key in an item."""
    show: Callable[[Any], object] = attrs.field(default=lambda value: value)
    """What of its value is shown."""

    def text(self, item: Item) -> str:
        """What stands in the cell."""
        return printable(self.show(item.get(self.key)))


def printable(value: object) -> str:
    """A value on one line. Terminals' data comes from outside: none of it may steer a screen."""
    return visible(_plain(value))


def echo(text: str, *, err: bool = False) -> None:
    """Print a message, which may quote what comes from outside; its lines and TABs are meant."""
    click.echo(visible(text, "\n\t"), err=err)


def print_json(value: object, *, indent: int | None = None) -> None:
    """Print a value as JSON."""
    text = msgspec.json.encode(value)
    click.echo(visible_json(text if indent is None else msgspec.json.format(text, indent=indent)))


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return " ".join(f"{key}={_plain(each)}" for key, each in value.items())
        case list():
            return ", ".join(_plain(each) for each in value)
        case _:
            return str(value)


async def print_list(
    pages: AsyncIterator[ListPage], columns: Sequence[Column], *, as_json: bool, empty: str
) -> None:
    """Print a list as it comes: a table, or JSON. `empty` is said to a person if there is none."""
    if as_json:
        await _print_json_list(pages)
        return
    table = ListTable(columns)
    async for page in pages:
        table.print(page.items)
    if table.is_empty:
        echo(empty, err=True)


class ListTable:
    """A table that is printed as it comes: its columns get wider, and what is printed stays."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._widths: list[int] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing is printed yet."""
        return not self._widths

    def print(self, items: Iterable[Item]) -> None:
        """Print the next lines; the titles come before the first one."""
        rows = [[column.text(item) for column in self._columns] for item in items]
        if rows and not self._widths:
            titles = [column.title for column in self._columns]
            self._widths = _widths(rows, map(cell_len, titles))
            _print_lines([_line(titles, self._widths, bold=True)])
        self._widths = _widths(rows, self._widths)
        _print_lines([_line(row, self._widths) for row in rows])


async def _print_json_list(pages: AsyncIterator[ListPage]) -> None:
    """A JSON list, one item a line; it begins when the first part is there."""
    before = b"[\n"
    async for page in pages:
        if page.items:
            text = before + b",\n".join(map(msgspec.json.encode, page.items))
            click.echo(visible_json(text), nl=False)
            before = b",\n"
    click.echo(b"[]" if before == b"[\n" else b"\n]")


class CsvPrinter:
    """Writes pieces of CSV as they come, up to a number of records.

    What is printed, and not written to a file, cannot steer a screen.
    """

    def __init__(self, limit: int | None = None, file: IO[bytes] | None = None) -> None:
        """Write at most `limit` records after the line of names."""
        self._left = None if limit is None else limit + 1
        self._file = file
        self._rest = b""

    def take(self, piece: bytes) -> None:
        """Write the records that are complete. `EnoughRecords` once there are enough of them."""
        # CR LF ends each record, and is in none: a cell has no CR.
        *records, self._rest = (self._rest + piece).split(b"\r\n")
        if self._left is not None:
            records = records[: self._left]
            self._left -= len(records)
        text = b"".join(record + b"\r\n" for record in records)
        click.echo(text if self._file else _unsteering(text), file=self._file, nl=False)
        if self._left == 0:
            raise EnoughRecords


class EnoughRecords(Exception):
    """As many records are written as were asked for."""


def _unsteering(csv: bytes) -> bytes:
    rows = csv.decode().split("\r\n")
    return "\r\n".join(visible(row, "\n\t") for row in rows).encode()


async def print_csv(
    api: Api,
    path: str,
    *,
    filters: Mapping[str, str | None] | None = None,
    limit: int | None = None,
    file: IO[bytes] | None = None,
) -> None:
    """Write a list as CSV, up to `limit` records of it."""
    with suppress(EnoughRecords):
        await api.csv(path, filters=filters, take=CsvPrinter(limit, file).take)


def print_object(item: Item, *, as_json: bool) -> None:
    """Print one object: its keys and values a line each, or JSON."""
    if as_json:
        print_json(item, indent=2)
        return
    print_pairs({key.replace("_", " "): value for key, value in item.items()})


def print_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values; a mapping or a list has a line for each of its parts."""
    rows: list[list[str]] = []
    for name, value in pairs.items():
        lines: Sequence[object]
        match value:
            case Mapping():
                lines = [f"{key}={each}" for key, each in value.items()]
            case list():
                lines = value
            case _:
                lines = [value]
        texts = [printable(line) or "-" for line in lines] or ["-"]
        rows.extend(["" if index else printable(name), text] for index, text in enumerate(texts))
    widths = _widths(rows, [0, 0])
    _print_lines([_line(row, widths) for row in rows])


def _widths(rows: Iterable[Sequence[str]], least: Iterable[int]) -> list[int]:
    """How wide columns have to be."""
    widths = list(least)
    for row in rows:
        widths = [max(width, cell_len(cell)) for width, cell in zip(widths, row, strict=True)]
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], *, bold: bool = False) -> Text:
    """Cells under each other; the line is as long as they need, and never folded inside a cell."""
    line = Text(style="bold" if bold else "")
    for cell, width in zip(cells, widths, strict=True):
        line.append(cell, _STYLES.get(cell))
        line.append(" " * (width - cell_len(cell) + GAP))
    line.rstrip()
    return line


def _print_lines(lines: Iterable[Text]) -> None:
    console = Console(highlight=False)
    for line in lines:
        console.print(line, soft_wrap=True)


@contextmanager
def progress() -> Iterator[Callable[[str, str], None]]:
    """Say on stderr what is waited for: `say(state, detail)`.

    A screen has one line of it, which is gone in the end; a file has a line for each state.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _sayer()
        return
    with console.status("") as status:
        yield lambda state, detail: status.update(Text(printable(f"{state} ({detail})")))


def _sayer() -> Callable[[str, str], None]:
    """Says each state once."""
    last = ""

    def say(state: str, detail: str) -> None:
        nonlocal last
        if state != last:
            last = state
            click.echo(printable(state), err=True)

    return say
