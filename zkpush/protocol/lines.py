"""Line decoding: one record a line, with or without a keyword (spec 11.4-11.6, 11.9-11.16).

A line becomes a row; see `records`. An optional field that cannot be decoded, and a field that is
not in the table, are kept in `extra`, so that neither costs the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from .fieldreaders import UNREAD, reader
from .fields import Field, Kind, Layout, Table

_KEYWORD = re.compile(rb"([A-Za-z][A-Za-z0-9_]{0,31})[ \t]")
_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}\Z", re.ASCII)
_SIZE = "size"
_MAY_BE_EMPTY = (Kind.TEXT, Kind.CARD)
_NULL = "null"


class _Extra:
    """Undeclared or undecodable values of a line; repeated names are numbered."""

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
    """A field of a table, with precomputed facts for the decoder."""

    field: Field
    place: int | None
    """Index in a row; None for a field that is not stored."""
    read: Callable[[str], object]
    is_text: bool
    may_be_empty: bool
    is_needed: bool
    """Whether an undecodable value makes the line a reject."""
    is_identity: bool
    """Whether a repeated value makes the line a reject, because its subject would be ambiguous."""
    may_be_null: bool
    """Whether the word `null` means an empty value, as it does everywhere except in plain text such
    as a name."""


def find_keyword(line: bytes) -> str | None:
    """The first word of a line that may be a keyword, followed by a space or TAB; else None."""
    if b" " not in line and b"\t" not in line:  # fast path for thousands of short lines
        return None
    found = _KEYWORD.match(line)
    return None if found is None else found[1].decode("ascii")


def with_columns(lines: Sequence[bytes]) -> Sequence[bytes]:
    """The lines that are more than a single word."""
    return [line for line in lines if b" " in line or b"\t" in line]


def split_spaced(text: str) -> list[str]:
    """Split columns at spaces if TABs are missing; a date and its time stay one column."""
    columns: list[str] = []
    may_be_dated = False
    for part in text.split(" "):
        if may_be_dated and _CLOCK.match(part):
            columns[-1] = f"{columns[-1]} {part}"
            may_be_dated = (
                False  # one time for each date: a growing column would be copied each time
            )
        elif part:
            columns.append(part)
            may_be_dated = True
    return columns or [""]


class LineDecoder:
    """Decodes the lines of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._places = {name: place for place, name in enumerate(table.names)}
        self._fields = [field for field in table.fields if field.stored]
        lowered = {wire: self._column(field) for wire, field in table.by_wire().items()}
        # Look-up by the usual spelling first, then in lower case.
        spelled = {field.wire: lowered[field.wire.lower()] for field in table.fields}
        self._columns_by_wire = {**lowered, **spelled}
        self._wires = [field.wire for field in self._fields]
        self._absent = [
            (place, field)
            for place, field in enumerate(self._fields)
            if field.required or field.default is not None
        ]
        names = "|".join(re.escape(field.wire) for field in table.fields)
        # One space, not a run of spaces, which would be retried from each of its positions.
        self._next_spaced = re.compile(f" (?=(?:{names})=)", re.IGNORECASE)
        self._sized = next((f for f in table.fields if f.kind is Kind.BASE64), None)
        size_place = self._places.get(_SIZE)
        self._size_place = None if self._sized is None else size_place
        self.is_keyed = table.layout is Layout.KEYED
        self._is_columns = table.layout is Layout.COLUMNS
        needed = {place for place, field in self._absent if field.required}
        self._takes_words = self._is_columns and needed <= {0}
        """Whether a record may be a single word."""
        self._split: Callable[[str], Iterable[tuple[str, str]]] = (
            self._columns if self._is_columns else self._pairs
        )
        self._ordered = [lowered[field.wire.lower()] for field in self._fields]
        self._readers = [
            (column.read, "" if column.may_be_empty else None) for column in self._ordered
        ]

    def promising(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """The lines that may be records: the others lack what every record of the table has."""
        if self.is_keyed:
            return [line for line in lines if b"=" in line]
        return lines if self._takes_words else with_columns(lines)

    def decode(self, text: str, raw: bytes | None) -> tuple[object, ...]:
        """Decode a line without its keyword into a row; raises `ValueError`.

        An absent field becomes its default or None, and so does an empty field that is neither text
        nor a card.
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
                continue  # known, but not stored
            if not column.is_text:
                value = value.strip(" ")
            if column.may_be_null and value.lower() == _NULL:
                value = ""
            if values[place] is not None:
                if column.is_identity:
                    raise ValueError(f"{column.field.wire} is there twice")
                # The last value counts; the previous one is kept in `extra`.
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
        """Decode a line of common columns, or return None for others; raises `ValueError`."""
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
                column.field.decode(values[place])  # raises unless merely uncommon
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
                # Not quoted, because it may be part of a secret.
                raise ValueError(f"part {number} is not Key=Value")
        return pairs

    def _check_size(self, values: list[object]) -> None:
        """Compare base64 content with the size field (spec 11.9, 11.13).

        Terminals send either the length of the base64, as the spec says, or of the decoded data.
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
    """Decoded length in bytes of a base64 text, padded or not."""
    return len(base64.rstrip(b"=")) * 3 // 4


def encode_line(table: Table, values: dict[str, object]) -> str:
    """Encode one record, given by field names, as a terminal sends it, without a line end.

    Absent fields and None are omitted from `Key=Value` lines, and are empty columns.
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
