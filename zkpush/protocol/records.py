"""Record decoding: from an upload body to rows and back (spec 8, 9, 11).

A row is a tuple: the stored fields of the table in declared order, then `extra` (JSON of undeclared
values and of optional fields that could not be decoded, or None) and `raw` (the exact line if some
bytes did not decode, or None). The store takes rows unchanged. Tables without fixed fields (PAIRS,
VALUES) have rows of `(name, value)`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from .density import DensityGauge
from .dialect import Dialect
from .fields import Layout, Row, Table
from .lines import with_columns
from .options import MOST_OPTIONS, MOST_VALUES, is_kept
from .rejects import Reject, RejectList
from .text import decode_line

_SPLIT = 64 * 1024
"""Bytes of a body split into lines at a time."""
_PIECE = 2 * 1024
"""Bytes of a body with uncommon lines decoded at once, if all of their lines are common."""
_NEXT_PAIR = re.compile(r",(?= ?~?[A-Za-z_][A-Za-z0-9_.]*+=)")
_KEY = re.compile(r"~?[A-Za-z_][A-Za-z0-9_.]*+\Z", re.ASCII)


class DeclaredRows(Sequence[Row]):
    """Rows without undeclared values: `extra` and `raw` are always None."""

    __slots__ = ()


class Batch(msgspec.Struct, frozen=True):
    """The contents of one body in one table.

    ATTPHOTO rows hold a single value, a `photos.Photo`.
    """

    table: Table
    rows: Sequence[Row]
    rejects: list[Reject]
    stamp: str | None = None
    """The stamp of the upload (spec 5)."""
    part: int = 0
    """Index of this part of a long upload, from 0."""


def decode(table: Table, body: bytes, dialect: Dialect, stamp: str | None = None) -> Batch:
    """Decode the body of an upload. Never raises: unreadable parts are in `rejects`."""
    rejects = RejectList()
    rows = decode_rows(table, body, dialect, rejects)
    return Batch(table, rows, rejects.of_body(table.name, body), stamp)


def decode_rows(
    table: Table,
    body: bytes,
    dialect: Dialect,
    rejects: RejectList,
    gauge: DensityGauge | None = None,
    room: int = MOST_OPTIONS,
) -> Sequence[Row]:
    """Decode a body, or part of one, of a table without keywords.

    Unreadable lines are added to `rejects`, and deferred lines to `gauge`. `room` is the maximum
    number of options or values.
    """
    if table.decode_body is not None:
        every = table.decode_body(body, dialect)
        if every is not None:
            return every
    if table.decode_line is not None:
        return _decode_lines(table, table.decode_line, body, dialect, rejects, gauge)
    rows: list[Row] = []
    for line in _undamaged(body, rejects):
        text, raw = decode_line(line, dialect.encoding_of(line))
        if "\0" in text:
            rejects.add(table.name, "a text line cannot hold NUL", line)
            continue
        try:
            if len(rows) >= room:
                rejects.add(table.name, "there is no room for what this line says", line)
                continue
            if table.layout is Layout.PAIRS:
                found, is_whole = _bounded_pairs(text, room - len(rows))
            else:
                found, is_whole = _bounded_values(table, text)
            rows.extend(found)
            if not is_whole:
                rejects.add(table.name, "there is more in this line than is kept", line)
            elif raw is not None:
                # These rows have no `raw` column for the exact bytes.
                rejects.add(table.name, "some bytes are no text; shown marked", raw)
        except ValueError as error:
            rejects.add(table.name, str(error), line)
    return rows


def _undamaged(body: bytes, rejects: RejectList) -> Iterator[bytes]:
    """The lines of a body that are not known to be damaged, up to so many that are."""
    for piece in pieces(body):
        lines = rejects.unrepeated(lines_of(piece))
        if rejects.is_full:  # so many damaged lines are kept as one reject
            rejects.count_unread(len(lines))
            continue
        for line in lines:
            if not rejects.repeats(line):
                yield line


def _decode_lines(
    table: Table,
    decode_line: Callable[[bytes, Dialect], Row],
    body: bytes,
    dialect: Dialect,
    rejects: RejectList,
    gauge: DensityGauge | None,
) -> list[Row]:
    """Decode a body line by line, or by pieces whose lines are all common."""
    rows: list[Row] = []
    for piece in pieces(body):
        usual = None if table.decode_body is None else table.decode_body(piece, dialect)
        if usual is not None:
            rows.extend(usual)
            continue
        lines = rejects.unrepeated(lines_of(piece))
        if rejects.is_full:
            read, lines = len(lines), with_columns(lines)
            rejects.count_unread(read - len(lines))
        for line in lines:
            if rejects.repeats(line):
                continue
            has_columns = b"\t" in line or b" " in line
            if has_columns and gauge is not None and gauge.defers(table, len(line)):
                gauge.defer(table, [line])
                continue
            try:
                rows.append(decode_line(line, dialect))
            except ValueError as error:
                rejects.add(table.name, str(error), line)
    return rows


def pieces(body: bytes, size: int = _PIECE) -> Iterator[bytes]:
    """Split a body after the first line end beyond each `size` bytes."""
    start, length = 0, len(body)
    while start < length:
        end = body.find(b"\n", start + size)
        end = length if end < 0 else end + 1
        yield body[start:end]
        start = end


def lines_of(piece: bytes) -> list[bytes]:
    """The non-blank lines of a piece of a body without CR and LF."""
    lines = piece.split(b"\n")
    if b"\r" in piece:
        lines = [line.rstrip(b"\r") for line in lines]
    return [line for line in lines if line.strip(b"\t ")]


def split_lines(body: bytes) -> Iterator[bytes]:
    """Yield the non-blank lines of a body without CR and LF.

    The body is split in parts: splitting a large body at once would take several times its memory.
    """
    for piece in pieces(body, _SPLIT):
        yield from lines_of(piece)


def decode_pairs(text: str) -> list[tuple[str, str]]:
    """Split `Key=Value,Key=Value` (spec 8).

    A value may contain commas, and a key may begin with `~`. Raises `ValueError` if the text does
    not begin with a key.
    """
    return list(_pairs(text))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    start, text = 0, text.strip().removesuffix(",")
    while start <= len(text):
        found = _NEXT_PAIR.search(text, start)
        end = len(text) if found is None else found.start()
        key, equals, value = text[start:end].partition("=")
        if not equals or not _KEY.match(key.strip()):
            raise ValueError(f"{key[:40]!r} is not Key=Value")
        yield key.strip(), value
        start = end + 1


def _bounded_pairs(text: str, room: int) -> tuple[list[Row], bool]:
    """The options of a line, up to `room`, and whether these are all."""
    found = list(itertools.islice(_pairs(text), max(room, 0) + 1))
    kept: list[Row] = [pair for pair in found[:room] if is_kept(*pair)]
    return kept, len(kept) == len(found)


def _bounded_values(table: Table, text: str) -> tuple[list[Row], bool]:
    """The values of a line to keep, and whether these are all."""
    found = decode_values(table, text)
    kept: list[Row] = [pair for pair in found if is_kept(pair[0], str(pair[1]))]
    return kept, len(kept) == len(found) and text.count(",") < MOST_VALUES


def encode_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Join options as a terminal sends them; the inverse of `decode_pairs`."""
    return ",".join(f"{key}={value}" for key, value in pairs)


def decode_values(table: Table, text: str) -> list[tuple[str, object]]:
    """Name the values of `INFO=` in the order of the table (spec 9).

    Empty values are omitted. Values that do not decode are kept as text under the wire name, and
    values beyond the declared fields as `ValueN`. Values beyond `MOST_VALUES` are omitted.
    """
    values: list[tuple[str, object]] = []
    for number, part in enumerate(text.split(",", MOST_VALUES)[:MOST_VALUES], 1):
        part = part.strip()
        if not part:
            continue
        if number > len(table.fields):
            values.append((f"Value{number}", part))
            continue
        field = table.fields[number - 1]
        try:
            values.append((field.name, field.decode(part)))
        except ValueError:
            values.append((field.wire, part))
    return values


def value_of(table: Table, row: Row, name: str) -> object:
    """The value of a field in a row."""
    return row[table.names.index(name)]


def encode_rows(table: Table, rows: Iterable[Sequence[object]], form: str | None = None) -> str:
    """Encode rows as the body of an upload; the inverse of `decode` for COLUMNS.

    `form` names a column order (raises `KeyError` if the table has no such form); without it, the
    declared order is used. Rows may be shorter, because the protocol omits trailing columns.
    """
    names = {form_.name: form_.fields for form_ in table.forms}[form] if form else table.names
    fields = [table.field(name) for name in names]
    return "".join(
        "\t".join(
            "" if value is None else field.kind.encode(value)
            for field, value in zip(fields, row, strict=False)
        )
        + "\n"
        for row in rows
    )
