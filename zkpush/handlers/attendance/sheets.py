"""Attendance as a workbook for spreadsheets (XLSX), written in constant memory.

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

from ...manage.cells import safe_text
from ...manage.console.phrases import Phrase
from ...protocol.text import visible_cell
from .showing import ShownPunch

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 200_000
"""Maximum number of records of a workbook; its temporary files take about 1 KB for each."""
COLUMNS: Sequence[tuple[Phrase, int]] = (
    (Phrase("Date"), 12),
    (Phrase("Time"), 10),
    (Phrase("User ID"), 12),
    (Phrase("Name"), 28),
    (Phrase("Attendance state"), 16),
    (Phrase("Terminal"), 22),
    (Phrase("Serial number"), 18),
    (Phrase("Verified by"), 22),
    (Phrase("Work code"), 12),
    (Phrase("Temperature"), 12),
    (Phrase("Mask"), 14),
    (Phrase("Doubtful time"), 18),
    (Phrase("Time of the terminal"), 20),
)
"""Headings, and the widths of the columns in characters."""
_FIRST_YEAR = 1900
"""Spreadsheets have no dates before it."""


Cell = Phrase | str | float | datetime.datetime | datetime.date | datetime.time | None


def cells_of(punch: ShownPunch) -> list[Cell]:
    """Return the values of a record in the order of `COLUMNS`; phrases are to be translated."""
    own = punch.own_time
    return [
        punch.wall.date(),
        punch.wall.time(),
        punch.pin,
        punch.name,
        _phrase(punch.state),
        punch.alias or punch.sn,
        punch.sn,
        _phrase(punch.method),
        punch.work_code,
        punch.temperature,
        _phrase(punch.mask),
        None if punch.doubt is None else _phrase(punch.doubt.mark),
        None if own is None else datetime.datetime.fromisoformat(own),
    ]


def _phrase(text: str | None) -> Phrase | None:
    """Return words that are translated by themselves as a phrase."""
    return text if text is None or isinstance(text, Phrase) else Phrase.made(text, {})


class PunchSheet:
    """A workbook with one sheet; all methods block."""

    def __init__(self, title: str, said: Callable[[str], str]) -> None:
        """`title` is the name of the sheet, `said` translates headings and words."""
        # Loaded by the first export only.
        import xlsxwriter

        self._said = said
        self._folder = tempfile.TemporaryDirectory(prefix="zkpush-")
        self.path = pathlib.Path(self._folder.name) / "attendance.xlsx"
        self._book = xlsxwriter.Workbook(
            str(self.path),
            {"constant_memory": True, "tmpdir": self._folder.name, "strings_to_urls": False},
        )
        add = self._book.add_format
        self._date, self._time = add({"num_format": "yyyy-mm-dd"}), add({"num_format": "hh:mm:ss"})
        self._moment = add({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._quoted = add({"quote_prefix": True})
        self._sheet = self._book.add_worksheet(title)
        self._book.set_properties({"title": title})
        self._sheet.freeze_panes(1, 0)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:Z1048576"})
        bold = add({"bold": True, "bottom": 1})
        for place, (heading, width) in enumerate(COLUMNS):
            self._sheet.set_column(place, place, width)
            self._sheet.write_string(0, place, said(heading), bold)
        self._rows = 0

    def add(self, punches: Sequence[ShownPunch]) -> None:
        """Append records."""
        for punch in punches:
            self._rows += 1
            for place, (write, value, form) in enumerate(self._cells(punch)):
                if value is not None and value != "":
                    write(self._rows, place, value, form)

    def close(self) -> int:
        """Complete the file; return its size in bytes."""
        self._sheet.autofilter(0, 0, self._rows, len(COLUMNS) - 1)
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

    def _cells(self, punch: ShownPunch) -> Iterator[tuple[Any, object, object]]:
        for cell in cells_of(punch):
            if isinstance(cell, datetime.datetime):
                yield self._of_time(cell, cell.year, self._moment)
            elif isinstance(cell, datetime.date):
                yield self._of_time(cell, cell.year, self._date)
            elif isinstance(cell, datetime.time):
                yield self._of_time(cell, punch.wall.year, self._time)
            elif isinstance(cell, float):
                yield self._sheet.write_number, cell, None
            else:
                yield self._words(cell) if isinstance(cell, Phrase) else self._text(cell)

    def _of_time(self, cell: object, year: int, form: object) -> tuple[Any, object, object]:
        if year < _FIRST_YEAR:
            return self._text(str(cell))
        return self._sheet.write_datetime, cell, form

    def _words(self, text: str | None) -> tuple[Any, object, object]:
        return self._text(None if text is None else self._said(text))

    def _text(self, text: str | None) -> tuple[Any, object, object]:
        if text is None:
            return self._sheet.write_string, None, None
        is_quoted = safe_text(text) == f"'{visible_cell(text)}"
        return self._sheet.write_string, visible_cell(text), self._quoted if is_quoted else None
