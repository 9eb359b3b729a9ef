"""Columns that are sealed: what is written in them opens in its own row only.

`schema` says which columns those are, by their types, and which columns say what a row is about.
Only that, and not the number of a row, is known before it is written.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec
from sqlalchemy import LargeBinary, RowMapping, Table

from ..interfaces import NotUnsealed
from .damage import DAMAGED, mark
from .vault import Vault

KEY = "sealed for"
"""In the `info` of a table, or of a sealed column that has others: the names of the columns that
say what a row is about."""


POINTER = "pointer"
"""The column that binds a picture to its row."""


class SealedBytes(LargeBinary):
    """Bytes that are sealed."""


class SealedText(LargeBinary):
    """Text that is sealed, as UTF-8."""


def place(table: str, column: str, key: Sequence[object]) -> bytes:
    """What a sealed value is about: a column, of the row with these values."""
    return msgspec.json.encode([table, column, *key])


def sealed(vault: Vault, table: Table, values: Mapping[str, object]) -> dict[str, object]:
    """The values of a row as they are written; those that say what a row is about among them."""
    row = dict(values)
    for column in _sealed_columns(table):
        value = row.get(column.name)
        if value is not None:
            row[column.name] = vault.seal(_plain(value), column.about_row(values))
    return row


def _plain(value: object) -> bytes:
    plain = value.encode() if isinstance(value, str) else value
    assert isinstance(plain, bytes)  # noqa: S101 - for mypy
    return plain


def seal_columns(
    vault: Vault, table: Table, names: Sequence[str], columns: Sequence[Sequence[object]]
) -> list[Sequence[object]]:
    """The columns of rows as they are written: many rows at a time, otherwise as `sealed`.

    Columns of which nothing is set are left as they are.
    """
    by_name = dict(zip(names, columns, strict=True))
    written = dict(by_name)
    seal = vault.seal if len(columns[0]) == 1 else vault.together()
    for column in _sealed_columns(table):
        values = by_name.get(column.name, ())
        if values and values.count(None) < len(values):
            keys = zip(*[by_name[name] for name in column.key], strict=True)
            written[column.name] = [
                None if value is None else seal(_plain(value), column.about(key))
                for value, key in zip(values, keys, strict=True)
            ]
    return list(written.values())


def opened(vault: Vault, table: Table, row: RowMapping) -> dict[str, Any]:
    """The values of a row that was read.

    One that is not what was written there is None, and named in `DAMAGED`.
    """
    values: dict[str, Any] = {str(name): row[name] for name in row}
    for column in _sealed_columns(table):
        value = values.get(column.name)
        if value is not None:
            try:
                plain = vault.open(bytes(value), column.about_row(row))
                values[column.name] = plain.decode() if column.is_text else plain
            except (NotUnsealed, UnicodeDecodeError) as error:
                note(vault, table, values, column.name, error)
    return values


def note(vault: Vault, table: Table, values: dict[str, Any], column: str, error: object) -> None:
    """Take a damaged value out of a row that was read, and log it."""
    row = next((values[name] for name in ("sn", "id", "seq") if name in values), "?")
    vault.damage.add(str(table.name), column, row, error)
    mark(values, column)


@attrs.frozen
class _Sealed:
    """A sealed column. All names are plain texts: one in SQLAlchemy is more than JSON can hold."""

    table: str
    name: str
    is_text: bool
    key: tuple[str, ...]

    def about(self, key: Sequence[object]) -> bytes:
        return place(self.table, self.name, key)

    def about_row(self, row: Mapping[Any, object]) -> bytes:
        return self.about([row[name] for name in self.key])


@functools.cache
def _sealed_columns(table: Table) -> tuple[_Sealed, ...]:
    return tuple(
        _Sealed(
            str(table.name),
            str(column.name),
            isinstance(column.type, SealedText),
            column.info.get(KEY) or table.info[KEY],
        )
        for column in table.columns
        if isinstance(column.type, SealedText | SealedBytes)
    )


def check_pointer(vault: Vault, table: Table, values: dict[str, Any], column: str) -> None:
    """Check that the picture in a column of an opened row is the one that was written with it.

    Anything else is marked as damaged: pictures that were exchanged in the database, too.
    """
    pointer, picture = values.pop(POINTER), values[column]
    if pointer != picture:
        values[DAMAGED] = [name for name in values.get(DAMAGED, ()) if name != POINTER]
        note(vault, table, values, column, "the picture is not the one of this row")
