"""Attendance records (11.2, 11.7): lines of columns in several forms.

Terminals send 4 (`Pin, Time, Status, Verify`), 7, 9, 10 or 12 columns. Two forms share the columns
after the seventh: the identity card form (`IDNum, Type`) and the form of 2.4.2 (`MaskFlag,
Temperature, ConvTemperature, TimeOffset, ExtendData`).
"""

from __future__ import annotations

import re

import msgspec

from ...protocol.dialect import Dialect
from ...protocol.fieldreaders import UNREAD, reader
from ...protocol.fields import Field, Form
from ...protocol.lines import split_spaced
from ...protocol.reasons import NO_COLUMNS
from ...protocol.text import decode_line
from ...protocol.versions import NEWEST
from .record import RECORD

KNOWN_COUNTS = frozenset({4, 7, 9, 10, 12})
_COMMON = 7
"""Columns common to both forms."""
_LONGEST_FLAG = 3
"""Length of the longest MaskFlag, 255."""
_ID_NUMBER = re.compile(r"([0-9]{15}|[0-9]{17}[0-9Xx])\Z", re.ASCII)
_DEFAULTS = tuple(field.default for field in RECORD.fields)


class _FormColumn:
    """Decoding of one column: the position of its value, and whether the value must be valid."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.read = reader(field)
        self.place = RECORD.names.index(field.name)
        self.essential = field.required or field.name in RECORD.key


def _plan(form: Form) -> tuple[_FormColumn, ...]:
    return tuple(_FormColumn(RECORD.field(name)) for name in form.fields)


_IDENTITY, _MASK = (_plan(form) for form in RECORD.forms)


def decode_attendance_line(line: bytes, dialect: Dialect) -> tuple[object, ...]:
    """Decode the bytes of one attendance record; see `decode_attendance`."""
    if b"\t" not in line and b" " not in line:
        raise ValueError(NO_COLUMNS)
    text, raw = decode_line(line, dialect.encoding_of(line))
    if "\0" in text:
        raise ValueError("a text line cannot hold NUL")
    return decode_attendance(text, raw, dialect)


def decode_attendance(text: str, raw: bytes | None, dialect: Dialect) -> tuple[object, ...]:
    """Decode one attendance record into a row; raises `ValueError` for an invalid one.

    The user, the time and all other required columns must be valid. Invalid optional columns, and
    columns beyond the known ones, are kept in `extra`, so that they do not cost a punch.
    """
    columns = _columns(text)
    if len(columns) < 2:
        raise ValueError(NO_COLUMNS)
    plan = _form(columns, dialect)
    values: list[object] = list(_DEFAULTS)
    extra: dict[str, str] = {}
    for column, want in zip(columns, plan, strict=False):
        if column:
            try:
                read = want.read(column)
                values[want.place] = want.field.decode(column) if read is UNREAD else read
            except ValueError:
                if want.essential and "\t" not in text:
                    raise ValueError(NO_COLUMNS) from None  # words in the place of columns
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
    """Split a line, correcting the separators that terminals get wrong.

    An empty column and a doubled TAB look the same, so the number of columns decides. If the line
    has a valid number of columns as it stands, with or without its trailing TABs, its empty columns
    are empty values. If the number is valid only without the empty columns, the TABs are doubled.
    They are also doubled if the Time column is empty, because Time never is. In a line without a
    TAB, single spaces separate the columns.
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


def _form(columns: list[str], dialect: Dialect) -> tuple[_FormColumn, ...]:
    """Choose the form of the columns after the seventh."""
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
