"""Attendance records (11.2, 11.7): lines of columns in several forms.

Terminals send 4 (`Pin, Time, Status, Verify`), 7, 9, 10 or 12 columns. After the seventh, two forms
share the places: the identity card form (`IDNum, Type`) and that of 2.4.2 (`MaskFlag, Temperature,
ConvTemperature, TimeOffset, ExtendData`).
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any, overload

import msgspec

from .dialect import Dialect
from .fields import Field, Form
from .lines import split_spaced
from .tables import ATTLOG
from .times import wall_seconds
from .versions import NEWEST

KNOWN_COUNTS = frozenset({4, 7, 9, 10, 12})
_COMMON = 7
"""Columns that both forms share."""
_LONGEST_FLAG = 3
"""Characters in the longest MaskFlag: 255."""
_ID_NUMBER = re.compile(r"([0-9]{15}|[0-9]{17}[0-9Xx])\Z", re.ASCII)
_DEFAULTS = tuple(field.default for field in ATTLOG.fields)


_FOUR = (
    # Pin, Time, Status and Verify.
    # No part can begin with what the one before it may hold: nothing is to be tried again.
    r"[^\x00-\x20\x7f]{1,64}+\t"
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\t"
    r"[0-9]{1,9}+\t[0-9]{1,9}+"
)
_SEVEN = _FOUR + r"\t[!-~]*+\t[!-~]*+\t[!-~]*+"
_FEWEST = _FOUR.count(r"\t")
_MOST_TABS = 32
_TIME = ATTLOG.names.index("time")
_RESERVED = range(4, _COMMON)
_PART = 256
_WIDTH = len(ATTLOG.names) + len(("extra", "raw"))


class _Numbers(dict[str, int]):
    """Numbers by their text: those that are common are known."""

    def __missing__(self, text: str) -> int:
        return int(text)


_NUMBERS = _Numbers({str(number): number for number in range(256)})


class AttendanceRows(Sequence[tuple[object, ...]]):
    """Rows by their columns. A row is made when it is asked for; most are stored, and never are."""

    __slots__ = ("columns", "seconds")

    def __init__(self, columns: Sequence[Sequence[object]], seconds: list[int]) -> None:
        self.columns = columns
        """The values of all rows, for each place; in the places after these, all are None."""
        self.seconds = seconds
        """The times of all rows, as `times.wall_seconds` gives them."""

    @classmethod
    def of(cls, rows: Sequence[tuple[object, ...]]) -> AttendanceRows:
        """The same rows by columns."""
        if isinstance(rows, cls):
            return rows
        columns: list[list[Any]] = [[] for _ in range(_WIDTH)]
        # In parts, because the garbage collector looks at each of many iterators.
        for start in range(0, len(rows), _PART):
            part = zip(*rows[start : start + _PART], strict=True)
            for column, values in zip(columns, part, strict=True):
                column += values
        return cls(columns, wall_seconds(columns[_TIME]))

    @classmethod
    def join(cls, parts: Sequence[AttendanceRows]) -> AttendanceRows:
        """The rows of all parts, one after the other."""
        widths = {len(part.columns) for part in parts}
        if len(widths) > 1:
            parts = [part._widened(max(widths)) for part in parts]
        return cls(
            [
                list(itertools.chain.from_iterable([part.columns[place] for part in parts]))
                for place in range(max(widths))
            ],
            list(itertools.chain.from_iterable([part.seconds for part in parts])),
        )

    def _widened(self, width: int) -> AttendanceRows:
        empty = [None] * len(self)
        more = [empty] * (width - len(self.columns))
        return AttendanceRows([*self.columns, *more], self.seconds)

    def __len__(self) -> int:
        return len(self.seconds)

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return zip(
            *self.columns, *itertools.repeat(itertools.repeat(None), self._missing), strict=False
        )

    @overload
    def __getitem__(self, place: int) -> tuple[object, ...]: ...

    @overload
    def __getitem__(self, place: slice) -> list[tuple[object, ...]]: ...

    def __getitem__(self, place: int | slice) -> object:
        if isinstance(place, slice):
            return list(self)[place]
        return (*(column[place] for column in self.columns), *(None,) * self._missing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __repr__(self) -> str:
        return f"AttendanceRows.of({list(self)!r})"

    @property
    def _missing(self) -> int:
        return _WIDTH - len(self.columns)


def decode_plain(text: str) -> AttendanceRows | None:
    """Read a whole body of plain records at once; None if there is anything else in it.

    Plain are the records that terminals send all day: all of 4 columns or all of 7, nothing odd.
    This gives what `decode_attendance` gives for each line, and is several times as fast.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").removesuffix("\r")
    if not text.endswith("\n"):
        text += "\n"
    tabs = text.count("\t", 0, text.index("\n"))
    if not _FEWEST <= tabs <= _MOST_TABS or not _lines_of(tabs).match(text):
        return None
    # Behind the last line stands one part more.
    parts = text.replace("\n", "\t").split("\t")
    width = tabs + 1
    times = parts[1::width]
    try:
        seconds = wall_seconds(times)
    except ValueError:
        return None
    columns: list[Sequence[object]] = [
        parts[0:-1:width],
        times,
        _numbers(parts[2::width]),
        _numbers(parts[3::width]),
    ]
    if width >= _COMMON:
        reserved = [parts[place::width] for place in _RESERVED]
        if "\t\t" in text or "\t\n" in text:
            columns += [[value or None for value in column] for column in reserved]
        else:
            columns += reserved
    return AttendanceRows(columns, seconds)


def _numbers(texts: list[str]) -> list[int]:
    number = _NUMBERS[texts[0]]
    if texts.count(texts[0]) == len(texts):
        return [number] * len(texts)
    return [_NUMBERS[text] for text in texts]


@functools.cache
def _lines_of(tabs: int) -> re.Pattern[str]:
    """Lines with so many TABs each, the last ones behind the last column."""
    form = _SEVEN if tabs >= _COMMON - 1 else _FOUR
    return re.compile("(?:" + form + r"\t" * (tabs - form.count(r"\t")) + r"\n)*+\Z")


class _Column:
    """What to do with one column: where its value goes, and whether it has to be right."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.place = ATTLOG.names.index(field.name)
        self.essential = field.required or field.name in ATTLOG.key


def _plan(form: Form) -> tuple[_Column, ...]:
    return tuple(_Column(ATTLOG.field(name)) for name in form.fields)


_IDENTITY, _MASK = (_plan(form) for form in ATTLOG.forms)


def decode_attendance(text: str, raw: bytes | None, dialect: Dialect) -> tuple[object, ...]:
    """Read one attendance record into a row; `ValueError` says what is wrong with it.

    The user, the time and whatever else makes the record must be readable. An optional column that
    is not, and columns beyond the known ones, are kept in `extra`: they cost nobody a punch.
    """
    columns = _columns(text)
    if len(columns) < 2:
        raise ValueError("Time is missing: a record needs at least Pin and Time")
    plan = _form(columns, dialect)
    values: list[object] = list(_DEFAULTS)
    extra: dict[str, str] = {}
    for column, want in zip(columns, plan, strict=False):
        if column:
            try:
                values[want.place] = want.field.decode(column)
            except ValueError:
                if want.essential:
                    raise
                extra[want.field.wire] = column
        elif want.field.required:
            raise ValueError(f"{want.field.wire} is missing")
    for number, column in enumerate(columns[len(plan) :], len(plan) + 1):
        extra[f"Column{number}"] = column
    values.append(msgspec.json.encode(extra).decode() if extra else None)
    values.append(raw)
    return tuple(values)


def _columns(text: str) -> list[str]:
    """Split a line, mending what terminals do to the separators.

    A column may be empty, and a TAB may be doubled, which looks the same. The number of columns
    decides: if it is a known one as the line stands, with the TABs at its end or without them,
    columns are empty; if it is one without the empty columns, TABs are doubled. They are, too,
    where the place of Time is empty, for Time never is. A line without a TAB has single spaces
    for them.
    """
    if "\t" not in text:
        return split_spaced(text)
    columns = [column.strip(" ") for column in text.rstrip("\t ").split("\t")]
    if "" in columns:
        full = [column for column in columns if column]
        counts = {len(columns), text.count("\t") + 1}
        doubled = columns[1:2] == [""] or KNOWN_COUNTS.isdisjoint(counts)
        if doubled and (len(full) in KNOWN_COUNTS or not (columns[0] and columns[1])):
            return full
    return columns


def _form(columns: list[str], dialect: Dialect) -> tuple[_Column, ...]:
    """Decide which of the two forms the columns after the seventh have."""
    if len(columns) <= _COMMON:
        return _IDENTITY
    if len(columns) > len(_IDENTITY):
        return _MASK
    eighth = columns[_COMMON]
    if dialect.device_type == "pid" or _ID_NUMBER.match(eighth):
        return _IDENTITY
    if dialect.own_version >= NEWEST or 0 < len(eighth) <= _LONGEST_FLAG:
        return _MASK
    return _IDENTITY
