"""Output for people and programs: tables, details and JSON."""

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
"""Spaces between two columns."""
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
    """Key of the value in an item."""
    show: Callable[[Any], object] = attrs.field(default=lambda value: value)
    """Formats the value."""

    def text(self, item: Item) -> str:
        """Return the text of the cell."""
        return printable(self.show(item.get(self.key)))


def printable(value: object) -> str:
    """Format a value on one line; control sequences in data of terminals are escaped."""
    return visible(_plain(value))


def echo(text: str, *, err: bool = False) -> None:
    """Print a message, which may quote external data; its line breaks and TABs are kept."""
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
    """Print a list as it arrives: a table, or JSON. `empty` is printed for an empty table."""
    if as_json:
        await _print_json_list(pages)
        return
    table = ListTable(columns)
    async for page in pages:
        table.print(page.items)
    if table.is_empty:
        echo(empty, err=True)


class ListTable:
    """A table that is printed as its rows arrive: columns only get wider."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._widths: list[int] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing is printed yet."""
        return not self._widths

    def print(self, items: Iterable[Item]) -> None:
        """Print the next rows; the titles precede the first one."""
        rows = [[column.text(item) for column in self._columns] for item in items]
        if rows and not self._widths:
            titles = [column.title for column in self._columns]
            self._widths = _widths(rows, map(cell_len, titles))
            _print_lines([_line(titles, self._widths, bold=True)])
        self._widths = _widths(rows, self._widths)
        _print_lines([_line(row, self._widths) for row in rows])


async def _print_json_list(pages: AsyncIterator[ListPage]) -> None:
    """Print a JSON list, one item per line, starting when the first page arrives."""
    before = b"[\n"
    async for page in pages:
        if page.items:
            text = before + b",\n".join(map(msgspec.json.encode, page.items))
            click.echo(visible_json(text), nl=False)
            before = b",\n"
    click.echo(b"[]" if before == b"[\n" else b"\n]")


class CsvPrinter:
    """Writes pieces of CSV as they arrive, up to a number of records.

    On a screen, control sequences are escaped; a file gets the data unchanged.
    """

    def __init__(self, limit: int | None = None, file: IO[bytes] | None = None) -> None:
        """Write at most `limit` records after the header line."""
        self._left = None if limit is None else limit + 1
        self._file = file
        self._rest = b""

    def take(self, piece: bytes) -> None:
        """Write the complete records; raise `EnoughRecords` after the last requested one."""
        # CR LF ends each record and occurs in none: a cell has no CR.
        *records, self._rest = (self._rest + piece).split(b"\r\n")
        if self._left is not None:
            records = records[: self._left]
            self._left -= len(records)
        text = b"".join(record + b"\r\n" for record in records)
        click.echo(text if self._file else _unsteering(text), file=self._file, nl=False)
        if self._left == 0:
            raise EnoughRecords


class EnoughRecords(Exception):
    """The requested number of records is written."""


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
    """Write a list as CSV, up to `limit` records."""
    with suppress(EnoughRecords):
        await api.csv(path, filters=filters, take=CsvPrinter(limit, file).take)


def print_object(item: Item, *, as_json: bool) -> None:
    """Print one object: one line per key, or JSON."""
    if as_json:
        print_json(item, indent=2)
        return
    print_pairs({key.replace("_", " "): value for key, value in item.items()})


def print_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values; a mapping or a list has one line per element."""
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
    """Return the widths of columns."""
    widths = list(least)
    for row in rows:
        widths = [max(width, cell_len(cell)) for width, cell in zip(widths, row, strict=True)]
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], *, bold: bool = False) -> Text:
    """Format a row of cells; the line is never folded inside a cell."""
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
    """Show the progress of waiting on stderr: `say(state, detail)`.

    A screen shows one line, which is erased at the end; a file gets a line for each state.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _sayer()
        return
    with console.status("") as status:
        yield lambda state, detail: status.update(Text(printable(f"{state} ({detail})")))


def _sayer() -> Callable[[str, str], None]:
    """Return a function that prints each state once."""
    last = ""

    def say(state: str, detail: str) -> None:
        nonlocal last
        if state != last:
            last = state
            click.echo(printable(state), err=True)

    return say
