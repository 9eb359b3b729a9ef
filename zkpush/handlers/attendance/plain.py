"""Plain attendance records (11.2), the everyday uploads, decoded body by body.

A plain body consists of records that all have 4 columns or all have 7, without irregularities. On
arrival, the body is only matched, as a whole. It is split into columns when they are first needed,
which usually is when it is stored. Bodies that are stored together are split together, and their
instants are computed in bulk.

The *distinction* tells apart records that agree in terminal, PIN, time, status and verification. An
identity card terminal writes an attendance and a verification record in the same second (11.7), and
a person may choose two work codes in the same second. The distinction is part of the identity of a
record. It is empty for nearly all records: those without a record type, a work code or an unknown
person's card.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast, overload

import msgspec

from ...protocol.dialect import Dialect
from ...protocol.records import DeclaredRows
from ...protocol.times import FAR_FUTURE, FAR_PAST, NO_ZONE, WallClock, far_off, wall_seconds
from .record import RECORD

_DATE = (
    # Some of the matched dates do not exist: see `_ODD_DAYS`.
    r"[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|[12][0-9]))"
)
_ODD_DAYS = ("-02-29 ", "\t0000-")
_FOUR = (
    # Pin, Time, Status and Verify. No part can begin with a character that the part before it may
    # contain, so the match never backtracks.
    r"[^\x00-\x20\x7f]{1,64}+\t" + _DATE + r" (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\t"
    r"[0-9]{1,9}+\t[0-9]{1,9}+"
)
_SEVEN = _FOUR + r"\t[!-~]*+\t[!-~]*+\t[!-~]*+"
_FEWEST = _FOUR.count(r"\t")
_MOST_TABS = 32
_TIME = RECORD.names.index("time")
_OFFSET = RECORD.names.index("time_offset")
_PIN, _WORK_CODE, _ID_NUMBER, _TYPE = map(
    RECORD.names.index, ("pin", "work_code", "id_number", "record_type")
)
NO_WORK_CODE = frozenset({None, "", "0"})
"""Values that mean that no work code was chosen; firmware upgrades may switch between them."""
NO_PERSON = "0"
"""PIN of a person unknown to the terminal; the identity card identifies the person."""
CHARACTERS = 32
"""Length of a distinction: 128 bits in hexadecimal."""
_RESERVED = range(4, 7)
_PART = 256
_WIDTH = len(RECORD.names) + len(("extra", "raw"))

Columns = Sequence[Sequence[object]]


class _Numbers(dict[str, int]):
    """Numbers by their text; common ones are stored."""

    def __missing__(self, text: str) -> int:
        return int(text)


_NUMBERS = _Numbers({str(number): number for number in range(256)})


class AttendanceRows(DeclaredRows):
    """Rows stored by column. Single rows are created on demand, which most never are."""

    __slots__ = ("_columns", "_count", "_seconds", "_tabs", "_text")

    def __init__(self, columns: Columns, seconds: list[int]) -> None:
        self._columns: Columns | None = columns
        self._seconds = seconds
        self._count = len(seconds)
        self._tabs = 0
        self._text = ""

    @classmethod
    def plain(cls, text: str, tabs: int, count: int) -> AttendanceRows:
        """Wrap the text of `count` lines that matched `lines_of(tabs)`, without splitting it."""
        rows = cls.__new__(cls)
        rows._columns = None
        rows._count = count
        rows._tabs = tabs
        rows._text = text
        return rows

    @classmethod
    def of(cls, rows: Sequence[tuple[object, ...]]) -> AttendanceRows:
        """Convert rows to columns."""
        if isinstance(rows, cls):
            return rows
        columns: list[list[Any]] = [[] for _ in range(_WIDTH)]
        # In parts, because the garbage collector tracks every iterator of a large zip.
        for start in range(0, len(rows), _PART):
            part = zip(*rows[start : start + _PART], strict=True)
            for column, values in zip(columns, part, strict=True):
                column += values
        return cls(columns, wall_seconds(columns[_TIME]))

    @classmethod
    def join(cls, parts: Sequence[AttendanceRows]) -> AttendanceRows:
        """Concatenate rows."""
        forms = {part._tabs for part in parts}
        if len(forms) == 1 and forms != {0}:
            text = "".join([part._text for part in parts])
            return cls.plain(text, forms.pop(), sum([part._count for part in parts]))
        every = [part.columns for part in parts]
        width = max(map(len, every))
        for place, part in enumerate(parts):
            if len(every[place]) < width:
                empty = [[None] * len(part)] * (width - len(every[place]))
                every[place] = [*every[place], *empty]
        return cls(
            [list(itertools.chain.from_iterable(same)) for same in zip(*every, strict=True)],
            list(itertools.chain.from_iterable([part.seconds for part in parts])),
        )

    def part(self, start: int, end: int) -> AttendanceRows:
        """Return a range of the rows."""
        return AttendanceRows(
            [column[start:end] for column in self.columns], self.seconds[start:end]
        )

    @property
    def columns(self) -> Columns:
        """Values by column; omitted trailing columns contain only None."""
        if self._columns is None:
            self.read()
        return self._columns or ()

    @property
    def seconds(self) -> list[int]:
        """Times of the rows, as returned by `times.wall_seconds`."""
        if self._columns is None:
            self.read()
        return self._seconds

    def read(self) -> None:
        """Split the text into columns; raises `ValueError` if a date does not exist."""
        # The split leaves one empty part after the last line.
        parts = self._text.replace("\n", "\t").split("\t")
        width = self._tabs + 1
        columns: list[Sequence[object]] = [
            parts[0:-1:width],
            parts[1::width],
            _numbers(parts[2::width]),
            _numbers(parts[3::width]),
        ]
        if self._tabs >= _RESERVED[-1]:
            reserved = [parts[place::width] for place in _RESERVED]
            if "\t\t" in self._text or "\t\n" in self._text:
                columns += [[value or None for value in column] for column in reserved]
            else:
                columns += reserved
        self._seconds = wall_seconds(parts[1::width])
        # Assigned last, because another thread may be reading.
        self._columns = columns

    def __len__(self) -> int:
        return self._count

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


def decode_body(body: bytes, dialect: Dialect) -> AttendanceRows | None:
    """Decode a body of plain records; None if it must be decoded line by line."""
    try:
        encoding = dialect.encoding_of(body) if dialect.is_guessed else dialect.encoding
        return decode_plain(body.decode(encoding))
    except UnicodeDecodeError:
        return None


def decode_plain(text: str) -> AttendanceRows | None:
    """Decode the text of a body of plain records; None if it contains anything else.

    The rows equal those of `decode_attendance` for each line, at a fraction of the time.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").removesuffix("\r")
    if not text.endswith("\n"):
        text += "\n"
    tabs = text.count("\t", 0, text.index("\n"))
    if not _FEWEST <= tabs <= _MOST_TABS or not lines_of(tabs).match(text):
        return None
    rows = AttendanceRows.plain(text, tabs, text.count("\n"))
    if _ODD_DAYS[0] in text or _ODD_DAYS[1] in text:
        try:
            rows.read()
        except ValueError:
            return None
    return rows


def read_clock(rows: Sequence[tuple[object, ...]]) -> tuple[int, int | None]:
    """Return the wall clock seconds of the last row, and its offset from UTC in seconds or None."""
    found = AttendanceRows.of(rows)
    offset = None
    if len(found.columns) > _OFFSET:
        offset = cast("int | None", found.columns[_OFFSET][-1])
    return found.seconds[-1], offset


def _numbers(texts: list[str]) -> list[int]:
    number = _NUMBERS[texts[0]]
    if texts.count(texts[0]) == len(texts):
        return [number] * len(texts)
    return [_NUMBERS[text] for text in texts]


@functools.cache
def lines_of(tabs: int) -> re.Pattern[str]:
    """Pattern of lines with this number of TABs, including trailing ones."""
    form = _SEVEN if tabs >= _RESERVED[-1] else _FOUR
    return re.compile("(?:" + form + r"\t" * (tabs - form.count(r"\t")) + r"\n)*+\Z")


def reckon(
    rows: AttendanceRows, clock: WallClock, now: int
) -> tuple[list[int], list[str | None] | None]:
    """Compute the instant of each record in seconds since the epoch, and doubts about it.

    A record with an offset of its own (2.4.2) uses that instead of `clock`. The second value lists
    the doubts by record, and is None if there are none. `now` is in seconds.
    """
    offsets = cast(list[int | None], rows.columns[_OFFSET]) if len(rows.columns) > _OFFSET else []
    own = offsets.count(None) < len(offsets)
    instants = None if own else clock.instants(rows.seconds)
    doubts: list[str | None] | None = None
    if instants is None:
        times = cast(list[Any], rows.columns[_TIME])
        offsets = offsets or [None] * len(rows)
        instants = [
            clock.instant(seconds) if offset is None else seconds - offset
            for seconds, offset in zip(rows.seconds, offsets, strict=True)
        ]
        doubts = [
            clock.doubt(time) if offset is None else None
            for time, offset in zip(times, offsets, strict=True)
        ]
    if instants and (max(instants) > now + FAR_FUTURE or min(instants) < now - FAR_PAST):
        # A clock that is not set is equally far off in nearly all records.
        far = [far_off(instant, now) for instant in instants]
        doubts = [
            other if other == NO_ZONE else one or other
            for one, other in zip(far, doubts or far, strict=True)
        ]
    return instants, doubts


def distinctions(rows: AttendanceRows, index: Callable[[bytes], bytes]) -> Sequence[str | None]:
    """Return the distinctions of all rows, all None if all are empty; `index` is a keyed hash."""
    columns, count = rows.columns, len(rows)
    if len(columns) <= _WORK_CODE:
        return [None] * count
    codes = columns[_WORK_CODE]
    if len(columns) <= _ID_NUMBER and NO_WORK_CODE.issuperset(codes):
        return [None] * count
    numbers, types = (
        columns[place] if place < len(columns) else itertools.repeat(None)
        for place in (_ID_NUMBER, _TYPE)
    )
    found = [
        _distinction(*values, index)
        for values in zip(columns[_PIN], codes, numbers, types, strict=False)
    ]
    return found if any(found) else [None] * count


def _distinction(
    pin: object, code: object, number: object, kind: object, index: Callable[[bytes], bytes]
) -> str:
    said = (
        kind or 0,
        "" if code in NO_WORK_CODE else code,
        (number or "") if pin == NO_PERSON else "",
    )
    return index(msgspec.json.encode(said)).hex()[:CHARACTERS] if any(said) else ""
