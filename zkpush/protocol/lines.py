"""Lines: one record each, after a keyword or without (11.4 to 11.6, 11.9 to 11.16).

What a line says becomes a row, see `records`. A field that is optional and cannot be read, and one
that the table does not know, is kept in `extra`: neither costs the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from .fields import UNREAD, Field, Kind, Layout, Table, reader

_KEYWORD = re.compile(rb"([A-Za-z][A-Za-z0-9_]{0,31})[ \t]")
_LATER_KEYWORD = re.compile(rb"\n" + _KEYWORD.pattern)
_PARTED, _SPACED = re.compile(rb"[=\t ]"), re.compile(rb"[\t ]")
_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}\Z", re.ASCII)
_SIZE = "size"
_MAY_BE_EMPTY = (Kind.TEXT, Kind.CARD)
_NULL = "null"


class _Extra:
    """What a line says besides; what is there twice is kept twice, under a number."""

    __slots__ = ("_last", "values")

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._last: dict[str, int] = {}

    def keep(self, name: str, value: str) -> None:
        free = name
        while free in self.values:
            number = self._last[name] = self._last.get(name, 1) + 1
            free = f"{name} {number}"
        self.values[free] = value


class _Column(msgspec.Struct, frozen=True):
    """A field of a table, with what the decoder has to know of it."""

    field: Field
    place: int | None
    """The place in a row; None for a field that is not stored."""
    read: Callable[[str], object]
    is_text: bool
    may_be_empty: bool
    is_needed: bool
    """Whether a line with a value that cannot be read is a reject."""
    is_identity: bool
    """Whether a line with two of it is a reject: nobody knows which one it is about."""
    may_be_null: bool
    """Whether the word `null` is an empty value: everywhere but in plain text, such as a name."""


def find_keyword(line: bytes) -> str | None:
    """The word that a line begins with, if a record may follow it; it stands before a space."""
    if b" " not in line and b"\t" not in line:  # of thousands of the shortest lines, most
        return None
    found = _KEYWORD.match(line)
    return None if found is None else found[1].decode("ascii")


def split_words(
    lines: Sequence[bytes], *, is_keyed: bool
) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Tell lines that are no records from others: one word, without a keyword.

    If the table of the upload `is_keyed`, one Key=Value may be a record.
    """
    parted = (_PARTED if is_keyed else _SPACED).search
    if parted(b"\n".join(lines)) is None:
        return lines, ()
    others = [line for line in lines if parted(line)]
    if len(others) == len(lines):
        return (), lines
    return [line for line in lines if not parted(line)], others


def has_keywords(lines: Iterable[bytes]) -> bool:
    """Whether a line begins with a word that may be a keyword."""
    return _LATER_KEYWORD.search(b"\n" + b"\n".join(lines)) is not None


def split_spaced(text: str) -> list[str]:
    """Split columns at spaces, where TABs are missing; a date and its time stay one column."""
    columns: list[str] = []
    may_be_dated = False
    for part in text.split(" "):
        if may_be_dated and _CLOCK.match(part):
            columns[-1] = f"{columns[-1]} {part}"
            may_be_dated = (
                False  # one time to a date: what grows with each would be copied each time
            )
        elif part:
            columns.append(part)
            may_be_dated = True
    return columns or [""]


class LineDecoder:
    """Reads the lines of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._places = {name: place for place, name in enumerate(table.names)}
        self._fields = [field for field in table.fields if field.stored]
        lowered = {wire: self._column(field) for wire, field in table.by_wire().items()}
        # Names are looked up as they are usually spelled, and then in lower case.
        spelled = {field.wire: lowered[field.wire.lower()] for field in table.fields}
        self._columns_by_wire = {**lowered, **spelled}
        self._wires = [field.wire for field in self._fields]
        self._absent = [
            (place, field)
            for place, field in enumerate(self._fields)
            if field.required or field.default is not None
        ]
        names = "|".join(re.escape(field.wire) for field in table.fields)
        # One space, not a run of them: a run would be tried again from each of its places.
        self._next_spaced = re.compile(f" (?=(?:{names})=)", re.IGNORECASE)
        self._sized = next((f for f in table.fields if f.kind is Kind.BASE64), None)
        size_place = self._places.get(_SIZE)
        self._size_place = None if self._sized is None else size_place
        self._is_columns = table.layout is Layout.COLUMNS
        self._split: Callable[[str], Iterable[tuple[str, str]]] = (
            self._columns if self._is_columns else self._pairs
        )
        self._ordered = [lowered[field.wire.lower()] for field in self._fields]
        self._readers = [
            (column.read, "" if column.may_be_empty else None) for column in self._ordered
        ]

    def decode(self, text: str, raw: bytes | None) -> tuple[object, ...]:
        """Read a line, without its keyword, into a row; `ValueError` says what is wrong with it.

        An absent field is None, or the default it has; so is an empty one that is neither text nor
        a card.
        """
        if self._is_columns and "\t" in text:
            row = self._plain_columns(text, raw)
            if row is not None:
                return row
        values: list[object] = [None] * len(self._fields)
        extra: _Extra | None = None
        columns = self._columns_by_wire
        for wire, value in self._split(text):
            column = columns.get(wire) or columns.get(wire.lower())
            if column is None:
                extra = extra or _Extra()
                extra.keep(wire, value)
                continue
            place = column.place
            if place is None:
                continue  # known, and said elsewhere
            if not column.is_text:
                value = value.strip(" ")
            if column.may_be_null and value.lower() == _NULL:
                value = ""
            if values[place] is not None:
                if column.is_identity:
                    raise ValueError(f"{column.field.wire} is there twice")
                # The last one counts; the one before is kept beside it.
                extra = extra or _Extra()
                extra.keep(wire, _encode(column.field, values[place]))
                values[place] = None
            if value or column.may_be_empty:
                try:
                    read = column.read(value)
                    values[place] = column.field.decode(value) if read is UNREAD else read
                except ValueError:
                    if column.is_needed:
                        raise
                    extra = extra or _Extra()
                    extra.keep(wire, value)
        for place, field in self._absent:
            if values[place] is None:
                if field.required:
                    raise ValueError(f"{field.wire} is missing")
                values[place] = field.default
        if self._size_place is not None and values[self._size_place] is not None:
            self._check_size(values)
        more = None if extra is None else msgspec.json.encode(extra.values).decode()
        return (*values, more, raw)

    def _plain_columns(self, text: str, raw: bytes | None) -> tuple[object, ...] | None:
        """Read a line of usual columns; None for others, `ValueError` for some that are wrong."""
        columns = text.rstrip("\t").split("\t")
        left = len(self._readers) - len(columns)
        if left < 0:
            return None
        values = [column.strip(" ") for column in columns]
        row = [
            read(value) if value else empty
            for value, (read, empty) in zip(values, self._readers, strict=False)
        ]
        if UNREAD in row:
            place = row.index(UNREAD)
            column = self._ordered[place]
            if column.is_needed:
                column.field.decode(values[place])  # raises, unless it is only unusual
            return None
        row += [None] * left
        if None in [row[place] for place, _ in self._absent]:
            return None
        return (*row, None, raw)

    def _column(self, field: Field) -> _Column:
        is_text = field.kind is Kind.TEXT
        return _Column(
            field,
            self._places.get(field.name),
            reader(field),
            is_text,
            may_be_empty=field.kind in _MAY_BE_EMPTY and not field.required,
            is_needed=bool(field.required or field.secret or field.name in self.table.key),
            is_identity=field.required or field.name in self.table.key,
            may_be_null=not is_text or field.secret is not None,
        )

    def _columns(self, text: str) -> Iterable[tuple[str, str]]:
        columns = text.rstrip("\t").split("\t") if "\t" in text else split_spaced(text)
        known = len(self._wires)
        beyond = [f"Column{number}" for number in range(known + 1, len(columns) + 1)]
        values = [column.strip(" ") for column in columns]
        return zip([*self._wires[: len(values)], *beyond], values, strict=True)

    def _pairs(self, text: str) -> Iterable[tuple[str, str]]:
        if "\t" in text or " " not in text:
            parts = text.split("\t")
        else:
            *others, last = self._next_spaced.split(text)
            parts = [*(part.rstrip(" ") for part in others), last]
        pairs = []
        for number, part in enumerate(parts, 1):
            wire, equals, value = part.partition("=")
            if equals:
                pairs.append((wire.strip(" "), value))
            elif part.strip(" "):
                # It is not quoted: it may be the rest of a secret.
                raise ValueError(f"part {number} is not Key=Value")
        return pairs

    def _check_size(self, values: list[object]) -> None:
        """Compare what is in base64 with the size that came with it (11.9, 11.13).

        Terminals count the base64, as the protocol says, or what it stands for.
        """
        size_place = self._places.get(_SIZE)
        if self._sized is None or size_place is None:
            return
        size, content = values[size_place], values[self._places[self._sized.name]]
        if isinstance(content, bytes) and isinstance(size, int):
            plain = decoded_length(content)
            if size not in (len(content), plain):
                raise ValueError(
                    f"{self._wire(_SIZE)} is {size}, but there are {len(content)} characters of "
                    f"base64, which stand for {plain} bytes"
                )

    def _wire(self, name: str) -> str:
        return self.table.field(name).wire


def decoded_length(base64: bytes) -> int:
    """How many bytes a base64 text stands for, padded or not."""
    return len(base64.rstrip(b"=")) * 3 // 4


def encode_line(table: Table, values: dict[str, object]) -> str:
    """Write one record, by the names of its fields, as a terminal sends it; without a line end.

    Fields that are None or not there are left out of Key=Value, and are empty columns.
    """
    parts = []
    for field in table.fields:
        value = values.get(field.name)
        if table.layout is Layout.COLUMNS:
            parts.append("" if value is None else _encode(field, value))
        elif value is not None:
            parts.append(f"{field.wire}={_encode(field, value)}")
    line = "\t".join(parts)
    return line if table.keyword is None else f"{table.keyword} {line}"


def _encode(field: Field, value: object) -> str:
    return field.kind.encode(value)
