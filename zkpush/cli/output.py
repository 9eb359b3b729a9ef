"""Output for people and programs: tables, details and JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ..protocol.text import visible, visible_json
from .pasting import pasteable
from .plain import lines_of, with_words
from .replies import Item, ListPage
from .tables import (
    GAP,
    Column,
    ListTable,
    folded,
    line_of,
    print_lines,
    printable,
    screen_width,
    widths,
)

if TYPE_CHECKING:
    from .client import Api


def echo(text: str, *, err: bool = False) -> None:
    """Print a message, which may quote external data; its line breaks and TABs are kept."""
    click.echo(visible(pasteable(text), "\n\t"), err=err)


def print_json(value: object, *, indent: int | None = None) -> None:
    """Print a value as JSON."""
    text = msgspec.json.encode(value)
    click.echo(visible_json(text if indent is None else msgspec.json.format(text, indent=indent)))


async def print_list(
    pages: AsyncIterator[ListPage], columns: Sequence[Column], *, as_json: bool, empty: str | None
) -> bool:
    """Print a list as it arrives: a table, or JSON; return whether it is empty.

    `empty` is printed for an empty table, unless it is None.
    """
    if as_json:
        return await _print_json_list(pages)
    table = ListTable(columns)
    async for page in pages:
        table.print(page.items)
    if table.is_empty and empty is not None:
        print_empty(empty)
    return table.is_empty


def print_empty(text: str) -> None:
    """Print the message of an empty list, in lines that fit the screen."""
    echo("\n".join(folded(pasteable(text), screen_width())), err=True)


async def _print_json_list(pages: AsyncIterator[ListPage]) -> bool:
    """Print a JSON list, one item per line, from the first page on; return whether it is empty."""
    before = b"[\n"
    async for page in pages:
        if page.items:
            text = before + b",\n".join(map(msgspec.json.encode, page.items))
            click.echo(visible_json(text), nl=False)
            before = b",\n"
    is_empty = before == b"[\n"
    click.echo(b"[]" if is_empty else b"\n]")
    return is_empty


class CsvPrinter:
    """Writes pieces of CSV as they arrive, and counts the lines.

    On a screen, control sequences are escaped; a file gets the data unchanged.
    """

    def __init__(self, file: IO[bytes] | None = None) -> None:
        self.lines = 0
        """Number of written lines, with the title line."""
        self._file = file
        self._rest = b""

    def take(self, piece: bytes) -> None:
        """Write the complete lines."""
        # CR LF ends each line and occurs in none: a cell has no CR.
        *lines, self._rest = (self._rest + piece).split(b"\r\n")
        text = b"".join(line + b"\r\n" for line in lines)
        click.echo(text if self._file else _unsteering(text), file=self._file, nl=False)
        self.lines += len(lines)


class NewestCsv:
    """Collects chosen records from CSV that has the newest first; prints them newest last."""

    def __init__(self, ids: Collection[object]) -> None:
        """Choose the records with these ids, which are in the first column."""
        self._ids = {str(one).encode() for one in ids}
        self._records: list[bytes] = []
        self._head: bytes | None = None
        self._rest = b""

    def take(self, piece: bytes) -> None:
        """Collect the complete records; raise `EnoughRecords` after the last chosen one."""
        *records, self._rest = (self._rest + piece).split(b"\r\n")
        if self._head is None and records:
            self._head = records.pop(0)
        self._records += [one for one in records if one.partition(b",")[0] in self._ids]
        if len(self._records) >= len(self._ids):
            raise EnoughRecords

    def print(self) -> None:
        """Print the title line and the records."""
        lines = [self._head or b"", *self._records[::-1]]
        click.echo(_unsteering(b"".join(line + b"\r\n" for line in lines)), nl=False)


class EnoughRecords(Exception):
    """The requested number of records is written."""


def _unsteering(csv: bytes) -> bytes:
    rows = csv.decode().split("\r\n")
    return "\r\n".join(visible(row, "\n\t") for row in rows).encode()


async def print_csv(
    api: Api,
    *path: str,
    filters: Mapping[str, str | None] | None = None,
    newest: Collection[object] | None = None,
    file: IO[bytes] | None = None,
) -> int:
    """Write a list as CSV, or its records with the ids `newest`, newest last; return how many."""
    if newest is not None:
        chosen = NewestCsv(newest)
        with suppress(EnoughRecords):
            await api.csv(*path, filters={**(filters or {}), "order": "desc"}, take=chosen.take)
        chosen.print()
        return len(newest)
    printer = CsvPrinter(file)
    await api.csv(*path, filters=filters, take=printer.take)
    return printer.lines - 1


def print_object(item: Item, *, as_json: bool) -> None:
    """Print one object: a line for each key, with the words of its codes, or JSON."""
    if as_json:
        print_json(item, indent=2)
        return
    print_pairs({key.replace("_", " "): value for key, value in with_words(item).items()})


def print_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values; a mapping or a list has a line for each part."""
    rows: list[list[str]] = []
    for name, value in pairs.items():
        texts = [printable(line) or "-" for line in lines_of(value)] or ["-"]
        rows.extend(["" if index else printable(name), text] for index, text in enumerate(texts))
    room = widths(rows, [0, 0])
    screen = screen_width()
    for name, text in rows:
        parts = folded(text, None if screen is None else screen - room[0] - GAP)
        names = [name, *[""] * (len(parts) - 1)]
        print_lines(line_of(row, room) for row in zip(names, parts, strict=True))


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


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of countable work on stderr: `say(done, total)`."""
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False),
    )
    task = bar.add_task("", total=None)

    def say(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield say
    finally:
        if bar.live.is_started:
            bar.stop()  # prints a line break


def _sayer() -> Callable[[str, str], None]:
    """Return a function that prints each state once."""
    last = ""

    def say(state: str, detail: str) -> None:
        nonlocal last
        if state != last:
            last = state
            click.echo(printable(state), err=True)

    return say
