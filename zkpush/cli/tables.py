"""Tables that are printed as their rows arrive, and that fit the screen.

On a screen, columns of words are broken into lines and spare columns are left out until a row
fits. Other columns, such as serial numbers and ids, are never broken. In a file or a pipe, each row
is one line, however long, so that it can be searched.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from ..protocol.text import visible
from .plain import plain
from .replies import Item
from .times import shown_instant, shown_wall_time, zone_name

GAP = 2
"""Spaces between two columns."""
NARROWEST, LONGEST_WORD = 8, 24
"""Least width of a column that is broken into lines, and the longest word that stays whole."""
MARGIN = " " * 4
"""Indentation of lines below a row."""
_COMMAND = re.compile("`zkpush [^`]+`")
_STEP = re.compile(r"(?<=\.) (?=[2-9]\. [A-Z])")
"""Place before the second or a further numbered step."""
_JOINT = "\ufdd0"
"""Stands for a space at which a text is not broken: no character, so that no text has it."""
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
    wraps: bool = attrs.field(default=False, kw_only=True)
    """Whether its text may be broken into lines on a narrow screen."""
    is_spare: bool = attrs.field(default=False, kw_only=True)
    """Whether it may be left out on a narrow screen."""
    is_below: bool = attrs.field(default=False, kw_only=True)
    """Whether its text stands on lines below the row, on a screen that the row does not fit."""

    is_instant: bool = attrs.field(
        default=attrs.Factory(lambda self: self.show is shown_instant, takes_self=True),
        kw_only=True,
    )
    """Whether it shows instants, on the clock of this machine."""

    @property
    def clock(self) -> str | None:
        """The clock by which it shows times, in words; None for other values."""
        if self.is_instant:
            return zone_name()
        return "terminal" if self.show is shown_wall_time else None

    def text(self, item: Item) -> str:
        """Return the text of the cell."""
        return printable(self.show(item.get(self.key)))


def printable(value: object) -> str:
    """Format a value on one line; control sequences in data of terminals are escaped."""
    return visible(plain(value))


def screen_width() -> int | None:
    """Return the width of the screen in cells; None if the output is no screen."""
    console = Console()
    return console.width if console.is_terminal else None


def with_clocks(columns: Iterable[Column]) -> list[Column]:
    """Name each clock in the title of its first column, if possible one that is never left out."""
    found = [*columns]
    named: set[str] = set()
    for place in sorted(range(len(found)), key=lambda place: found[place].is_spare):
        column, clock = found[place], found[place].clock
        if clock is not None and clock not in named:
            named.add(clock)
            found[place] = attrs.evolve(column, title=f"{column.title} ({clock})")
    return found


class ListTable:
    """A table that is printed as its rows arrive: columns only get wider."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns: Sequence[Column] = with_clocks(columns)
        self._below: Sequence[Column] = ()
        self._screen = screen_width()
        self._widths: list[int] = []
        self._words: dict[str, int] = {}
        """Width of the longest word of each column that is broken into lines, by its key."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is printed yet."""
        return not self._widths

    def print(self, items: Iterable[Item]) -> None:
        """Print the next rows; the titles precede the first one."""
        items = list(items)
        if not items:
            return
        is_first = self.is_empty
        titles = [column.title for column in self._columns]
        rows = [[column.text(item) for column in self._columns] for item in items]
        self._widths = widths(rows, self._widths or map(cell_len, titles))
        self._note_words(rows)
        if self._screen is not None and is_first:
            self._leave_out(self._screen)
            titles = [column.title for column in self._columns]
            rows = [[column.text(item) for column in self._columns] for item in items]
        fitted = self._widths if self._screen is None else self._fit(self._screen)
        if is_first:
            print_lines([line_of(titles, fitted, bold=True)])
        for item, row in zip(items, rows, strict=True):
            print_lines(_lines(row, fitted))
            for column in self._below:
                if text := column.text(item):
                    print_lines(map(Text, folded(text, self._screen, MARGIN)))

    def _leave_out(self, screen: int) -> None:
        """Move columns below the rows, and leave out spare ones, until the narrowest rows fit."""
        if _total(self._widths) > screen:
            self._below = [column for column in self._columns if column.is_below]
            kept = [place for place, one in enumerate(self._columns) if not one.is_below]
            self._columns = [self._columns[place] for place in kept]
            self._widths = [self._widths[place] for place in kept]
        while _total(self._least()) > screen:
            spare = [place for place, one in enumerate(self._columns) if one.is_spare]
            if not spare:
                return
            self._columns = [*self._columns[: spare[-1]], *self._columns[spare[-1] + 1 :]]
            del self._widths[spare[-1]]

    def _note_words(self, rows: Sequence[Sequence[str]]) -> None:
        for place, column in enumerate(self._columns):
            if self._screen is not None and column.wraps:
                words = (word for row in rows for word in row[place].split())
                longest = max(map(cell_len, words), default=0)
                self._words[column.key] = max(self._words.get(column.key, 0), longest)

    def _least(self) -> list[int]:
        """Return the least width of each column."""
        return [
            min(width, max(NARROWEST, cell_len(one.title), min(self._words[one.key], LONGEST_WORD)))
            if one.wraps
            else width
            for one, width in zip(self._columns, self._widths, strict=True)
        ]

    def _fit(self, screen: int) -> list[int]:
        """Narrow the widest columns of words until a row fits, or they are at their narrowest."""
        fitted, least = list(self._widths), self._least()
        while _total(fitted) > screen:
            wide = [place for place, width in enumerate(fitted) if width > least[place]]
            if not wide:
                break
            fitted[max(wide, key=fitted.__getitem__)] -= 1
        return fitted


def widths(rows: Iterable[Sequence[str]], least: Iterable[int]) -> list[int]:
    """Return the widths of columns."""
    found = list(least)
    for row in rows:
        found = [max(width, cell_len(cell)) for width, cell in zip(found, row, strict=True)]
    return found


def line_of(cells: Sequence[str], widths: Sequence[int], *, bold: bool = False) -> Text:
    """Format a row of cells as one line."""
    line = Text(style="bold" if bold else "")
    for cell, width in zip(cells, widths, strict=True):
        line.append(cell, _STYLES.get(cell))
        line.append(" " * (width - cell_len(cell) + GAP))
    line.rstrip()
    return line


def print_lines(lines: Iterable[Text]) -> None:
    """Print lines; the screen does not fold them."""
    console = Console(highlight=False)
    for line in lines:
        console.print(line, soft_wrap=True)


def steps_of(text: str) -> list[str]:
    """Return the numbered steps of a text, each with its number; the whole text without them."""
    return _STEP.split(text)


def folded(text: str, width: int | None, indent: str = "") -> list[str]:
    """Break a text into indented lines of a width, between words where possible.

    A command in backticks is never broken, so that it can be pasted: its line may be wider.
    Numbered steps begin on lines of their own.
    """
    parts = steps_of(text)
    if width is None:
        return [f"{indent}{part}" for part in parts]
    whole = [_COMMAND.sub(lambda found: found[0].replace(" ", _JOINT), part) for part in parts]
    lines = [line for part in whole for line in _fold(part, max(width - len(indent), NARROWEST))]
    return [f"{indent}{line.replace(_JOINT, ' ')}" for line in lines]


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[Text]:
    parts = [_fold(cell, width) for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, parts))
    filled = [[*part, *[""] * (height - len(part))] for part in parts]
    return [line_of(cells, widths) for cells in zip(*filled, strict=True)]


def _fold(text: str, width: int) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    # Words that are too long, and words of wide characters, which textwrap counts as narrow.
    return [
        part
        for line in lines
        for part in ([line] if _JOINT in line else chop_cells(line, width) or [""])
    ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)
