"""Tables as workbooks for spreadsheets (XLSX), written in constant memory.

Rows go to a temporary file, from which the workbook is made and sent. Texts are never formulas;
those that look like one are marked as text, as a leading apostrophe does in a spreadsheet, so that
they stay text when the workbook is saved as CSV.
"""

from __future__ import annotations

import datetime
import pathlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from ...protocol.text import visible_cell
from ..cells import safe_text
from .phrases import Phrase

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 200_000
"""Maximum number of rows of a workbook; its temporary files take about 1 KB for each."""
_FIRST_YEAR = 1900
"""Spreadsheets have no dates before it."""

Cell = (
    Phrase
    | str
    | float
    | datetime.datetime
    | datetime.date
    | datetime.time
    | datetime.timedelta
    | None
)
"""A value of a table; phrases are to be translated."""


@attrs.frozen
class SheetColumn:
    """A column of a table."""

    heading: Phrase
    width: int
    """Width in characters."""


class TableSheet:
    """A workbook with a sheet or several, one after the other; all methods block."""

    def __init__(
        self, title: str, columns: Sequence[SheetColumn], said: Callable[[str], str]
    ) -> None:
        """`title` is the name of the first sheet, `said` translates headings and words."""
        # Loaded by the first export only.
        import xlsxwriter

        self._said = said
        self._folder = tempfile.TemporaryDirectory(prefix="zkpush-")
        self.path = pathlib.Path(self._folder.name) / "table.xlsx"
        self._book = xlsxwriter.Workbook(
            str(self.path),
            {"constant_memory": True, "tmpdir": self._folder.name, "strings_to_urls": False},
        )
        add = self._book.add_format
        self._date, self._time = add({"num_format": "yyyy-mm-dd"}), add({"num_format": "hh:mm:ss"})
        self._moment = add({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._duration = add({"num_format": "[h]:mm"})
        self._quoted = add({"quote_prefix": True})
        self._bold = add({"bold": True, "bottom": 1})
        self._book.set_properties({"title": title})
        self.begin(title, columns)

    def begin(self, title: str, columns: Sequence[SheetColumn]) -> None:
        """Begin a sheet, to which rows are added from now on."""
        self._columns = columns
        self._sheet = self._book.add_worksheet(title)
        self._sheet.freeze_panes(1, 0)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:Z1048576"})
        for place, column in enumerate(columns):
            self._sheet.set_column(place, place, column.width)
            self._sheet.write_string(0, place, self._said(column.heading), self._bold)
        self._rows = 0

    def add(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Append rows."""
        for row in rows:
            self._rows += 1
            for place, (write, value, form) in enumerate(self._cells(row)):
                if value is not None and value != "":
                    write(self._rows, place, value, form)

    def end(self) -> None:
        """End a sheet."""
        self._sheet.autofilter(0, 0, self._rows, len(self._columns) - 1)

    def close(self) -> int:
        """Complete the file; return its size in bytes."""
        self._book.close()
        return self.path.stat().st_size

    def read(self, start: int, end: int) -> bytes:
        """Read a part of the file."""
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def remove(self) -> None:
        """Remove the temporary files."""
        self._folder.cleanup()

    def _cells(self, row: Sequence[Cell]) -> Iterator[tuple[Any, object, object]]:
        for cell in row:
            if isinstance(cell, datetime.datetime):
                yield self._of_day(cell, cell.year, self._moment)
            elif isinstance(cell, datetime.date):
                yield self._of_day(cell, cell.year, self._date)
            elif isinstance(cell, datetime.time):
                yield self._sheet.write_datetime, cell, self._time
            elif isinstance(cell, datetime.timedelta):
                yield self._sheet.write_datetime, cell, self._duration
            elif isinstance(cell, int | float):
                yield self._sheet.write_number, cell, None
            else:
                yield self._text(self._said(cell) if isinstance(cell, Phrase) else cell)

    def _of_day(self, cell: object, year: int, form: object) -> tuple[Any, object, object]:
        if year < _FIRST_YEAR:
            return self._text(str(cell))
        return self._sheet.write_datetime, cell, form

    def _text(self, text: str | None) -> tuple[Any, object, object]:
        if text is None:
            return self._sheet.write_string, None, None
        is_quoted = safe_text(text) == f"'{visible_cell(text)}"
        return self._sheet.write_string, visible_cell(text), self._quoted if is_quoted else None
