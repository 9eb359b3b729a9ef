"""CSV export of attendance records by column, for lists of millions of records.

The lines equal those that `zkpush.manage.cells` makes from the views of records. A value shared by
many records is formatted once.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from itertools import repeat

from ...manage.cells import safe_text
from ...manage.lists import Slice
from ...manage.recordviews import MEANING
from ...manage.times import offset
from ...model import Page
from ...persist.transaction import Transaction
from ...protocol.fields import Field, Kind
from ...protocol.times import NO_ZONE, wall_seconds
from .model import PunchFilter
from .store import AttendanceStore
from .tables import ATTLOG

Column = Sequence[object]
_TWO_DIGITS = [f"{number:02}" for number in range(60)]
_MILLISECONDS = [f".{number:03}Z" for number in range(1000)]
_CODED = {f"{field.name}{MEANING}": field for field in ATTLOG.fields if field.codes is not None}
_QUOTE = '"'
_SPECIAL = re.compile('[",\r\n]')
_TEXTS = frozenset(
    {"device", "doubt", *(field.name for field in ATTLOG.fields if field.kind is Kind.TEXT)}
)


def csv_slice_thd(
    tx: Transaction, part: Page, wanted: PunchFilter, names: Sequence[str]
) -> Slice | None:
    """Return CSV lines with these columns; None if a record has undeclared columns."""
    columns = tx[AttendanceStore].columns(part, wanted)
    if not columns["id"]:
        return Slice(b"", ())
    if any(value is not None for value in columns["extra"]):
        return None
    made = _Columns(columns)
    lines = [*map(",".join, zip(*[made.cells(name) for name in names], strict=False)), ""]
    keys: Sequence[int] = columns["id"]  # type: ignore[assignment]  # it has what is used
    return Slice("\r\n".join(lines).encode(), keys)


class _Columns:
    """Cells of records, made from the stored columns."""

    def __init__(self, columns: dict[str, Sequence[object]]) -> None:
        self._columns = columns
        # mypy does not know that each column of a table has one type.
        self._times: Sequence[str] = columns["time"]  # type: ignore[assignment]  # texts
        self._walls = [time.replace(" ", "T") for time in self._times]
        self._utc: Sequence[int] = columns["utc"]  # type: ignore[assignment]  # it has what is used
        self._no_zone = [doubt == NO_ZONE for doubt in columns["doubt"]]
        self._minutes = _Minutes()

    def cells(self, name: str) -> Iterable[str]:
        """Return the cells of a column of the view, quoted for CSV."""
        if name in _CODED:
            return self._words(_CODED[name])
        if name == "time":
            return self._walls
        if name == "local_time":
            return self._known(self._local_times())
        if name == "utc":
            minutes = self._minutes
            return self._known([f"{minutes[u // 60]}{_TWO_DIGITS[u % 60]}Z" for u in self._utc])
        if name == "received_at":
            return self._received()
        column = self._columns.get(name)
        if column is None or column.count(None) == len(column):
            return repeat("")
        if name in _TEXTS:
            return _safe(column)
        return ["" if value is None else str(value) for value in column]

    def _known(self, cells: list[str]) -> Iterable[str]:
        """Blank the cells of records whose time zone is unknown."""
        if not any(self._no_zone):
            return cells
        return [
            "" if is_unknown else cell
            for cell, is_unknown in zip(cells, self._no_zone, strict=True)
        ]

    def _local_times(self) -> list[str]:
        walls, offsets = wall_seconds(self._times), _Offsets()
        return [
            time + offsets[wall - utc]
            for time, wall, utc in zip(self._walls, walls, self._utc, strict=True)
        ]

    def _received(self) -> list[str]:
        minutes, cells = self._minutes, []
        received: Sequence[int] = self._columns["received_at"]  # type: ignore[assignment]  # ms
        for at in received:
            seconds = at // 1000
            text = f"{minutes[seconds // 60]}{_TWO_DIGITS[seconds % 60]}{_MILLISECONDS[at % 1000]}"
            cells.append(text)
        return cells

    def _words(self, field: Field) -> Iterable[str]:
        """Return the meanings of a coded column."""
        column = self._columns[field.name]
        if column.count(None) == len(column):
            return repeat("")
        by = () if field.codes_by is None else (field.codes_by.field,)
        deciding = [self._columns[name] for name in by]
        words = {
            key: _cell(field.words(key[0], dict(zip(by, key[1:], strict=True))) or "")
            for key in set(zip(column, *deciding, strict=True))
        }
        return [words[key] for key in zip(column, *deciding, strict=True)]


def _safe(column: Column) -> Iterable[str]:
    """Quote texts for CSV, safe for spreadsheets."""
    cells = {value: _cell(str(value)) for value in set(column) if value is not None}
    cells[None] = ""
    return [cells[value] for value in column]


def _cell(text: str) -> str:
    """Quote a text for CSV (RFC 4180)."""
    if text.isalnum() and text.isascii():
        return text
    safe = safe_text(text)
    return f'"{safe.replace(_QUOTE, _QUOTE * 2)}"' if _SPECIAL.search(safe) else safe


class _Offsets(dict[int, str]):
    """Formatted offsets from UTC, by seconds."""

    def __missing__(self, seconds: int) -> str:
        text = self[seconds] = offset(seconds)
        return text


class _Minutes(dict[int, str]):
    """Minutes since the epoch, formatted as the start of an ISO 8601 instant."""

    def __missing__(self, minute: int) -> str:
        at = datetime.datetime(1970, 1, 1) + datetime.timedelta(minutes=minute)
        text = self[minute] = at.isoformat()[:17]
        return text
