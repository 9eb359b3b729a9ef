"""Lines of files of people, each a validated change or its mistakes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from ...phrases import Phrase, counted_phrase, in_series, words_of
from .administration import PersonEdit, edit_of
from .authorship import FIELDS
from .columns import (
    AREAS,
    LABEL_OF_PIN,
    PIN,
    ColumnNames,
    Saying,
    areas_in,
    known_columns,
    label_of,
    stored_value,
    text_of,
)
from .entering import PersonMistakes

MOST_LINES = 100_000
_DELIMITERS = ",;\t"


@attrs.frozen
class FileLine:
    """A line of a file."""

    number: int
    edit: PersonEdit | None
    """None if the line is wrong."""
    pin: str | None
    name: str | None
    headings: Mapping[str, str]
    """Names of the columns in the file, by field."""
    mistakes: str = ""


def read_lines(
    text: str, stored: Mapping[str, Mapping[str, Any]], said: Saying
) -> Iterator[FileLine]:
    """Read a file; `ValueError` if it is no table of people. `stored` are the people by ID."""
    names = ColumnNames(said)
    reader, header = _opened(text, names)
    columns = _columns(header, names)
    lines = _LineReader(columns, stored, said)
    try:
        for row in reader:
            if reader.line_num > MOST_LINES:
                raise ValueError(
                    counted_phrase(
                        "The file has more than %(num)s line; split it.",
                        "The file has more than %(num)s lines; split it.",
                        MOST_LINES,
                    )
                )
            if any(cell.strip() for cell in row):
                yield lines.line(reader.line_num, row)
    except csv.Error as error:
        raise _broken(reader.line_num, error) from None


def _opened(text: str, names: ColumnNames) -> tuple[Any, list[str]]:
    """Return a reader of the lines after the first one, and the cells of that.

    The delimiter is the one with which most names of columns are known.
    """
    found: list[tuple[int, Any, list[str]]] = []
    for delimiter in _DELIMITERS:
        # Strict, so that a file that was cut off inside quotes is refused.
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            header = [name.strip() for name in next(reader)]
        except StopIteration:
            raise ValueError(
                Phrase("The file is empty; its first line names the columns.")
            ) from None
        except csv.Error as error:
            if delimiter == _DELIMITERS[-1] and not found:
                raise _broken(1, error) from None
            continue
        known = sum(names.find(one) is not None for one in header)
        found.append((known, reader, header))
    _, reader, header = max(found, key=lambda one: one[0])
    return reader, header


def _broken(line: int, error: csv.Error) -> ValueError:
    return ValueError(Phrase("line %(line_num)s: %(error)s", line_num=line, error=words_of(error)))


def _columns(header: Sequence[str], names: ColumnNames) -> Sequence[tuple[str | None, str]]:
    """Return field and name of each column; the field is None for one that is not imported."""
    columns = [(names.find(heading), heading) for heading in header]
    fields = [field for field, _ in columns if field is not None]
    if PIN not in fields:
        raise ValueError(
            Phrase(
                "The first line names the columns, and %(label)s (`%(name)s`) must be one; others "
                "are %(known)s.",
                label=LABEL_OF_PIN,
                name=PIN,
                known=known_columns(PIN),
            )
        )
    strange = [
        heading[:40] or "(empty)"
        for field, heading in columns
        if field is None and not names.is_ignored(heading)
    ]
    if strange:
        raise ValueError(
            Phrase(
                "Unknown columns: %(strange)s; people have %(known)s.",
                strange=", ".join(strange[:10]),
                known=known_columns(),
            )
        )
    twice = [heading for field, heading in columns if field is not None and fields.count(field) > 1]
    if twice:
        raise ValueError(Phrase("Columns that exist twice: %(twice)s.", twice=", ".join(twice)))
    return columns


class _LineReader:
    """Makes changes of rows."""

    def __init__(
        self,
        columns: Sequence[tuple[str | None, str]],
        stored: Mapping[str, Mapping[str, Any]],
        said: Saying,
    ) -> None:
        self._columns = columns
        self._headings = {field: heading for field, heading in columns if field is not None}
        self._stored = stored
        self._said = said
        self._seen: dict[str, int] = {}

    def line(self, number: int, row: Sequence[str]) -> FileLine:
        """Return the change in a row, or its mistakes."""
        if len(row) != len(self._columns):
            mistake = Phrase(
                "%(values)s for %(columns)s",
                values=counted_phrase("%(num)s value", "%(num)s values", len(row)),
                columns=counted_phrase("%(num)s column", "%(num)s columns", len(self._columns)),
            )
            return FileLine(number, None, None, None, self._headings, mistake)
        cells = {
            field: text_of(cell)
            for (field, _), cell in zip(self._columns, row, strict=True)
            if field is not None
        }
        pin, name = cells.pop(PIN), cells.get("name") or None
        if pin in self._seen:
            mistake = Phrase(
                "%(column)s: %(pin)s is in line %(line)s already",
                column=self._headings[PIN],
                pin=pin,
                line=self._seen[pin],
            )
            return FileLine(number, None, pin, name, self._headings, mistake)
        self._seen[pin] = number
        edit, wrong = self._edit(pin, cells)
        if wrong:
            edit = None
        return FileLine(number, edit, pin, name, self._headings, self._in_words(wrong))

    def _edit(self, pin: str, cells: Mapping[str, str]) -> tuple[PersonEdit | None, dict[str, str]]:
        """Return a change, and the mistakes by field."""
        before = self._stored.get(pin, {})
        values: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for field, cell in cells.items():
            if field not in FIELDS or not cell:  # an empty cell says nothing
                continue
            try:
                values[field] = stored_value(field, cell, before, self._said)
            except ValueError as error:
                wrong[field] = words_of(error)
        areas = areas_in(cells[AREAS]) if cells.get(AREAS) else None
        try:
            edit = edit_of(pin, values, areas, before, is_new=pin not in self._stored)
        except PersonMistakes as error:
            return None, {**wrong, **error.fields}
        return edit, wrong

    def _in_words(self, wrong: Mapping[str, str]) -> str:
        """Return mistakes as one text, with the names that the columns have in the file."""
        return (
            in_series(
                [
                    Phrase(
                        "%(field)s: %(reason)s",
                        field=self._headings.get(field, label_of(field)),
                        reason=reason,
                    )
                    for field, reason in wrong.items()
                ]
            )
            if wrong
            else ""
        )
