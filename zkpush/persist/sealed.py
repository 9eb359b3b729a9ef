"""Encrypted columns: each value is bound to its own row.

`schema` declares the encrypted columns by type, and the columns that identify the row in the
associated data. The id of a row cannot serve, because it is unknown before the insert.
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
"""Key in the `info` of a table, or of an encrypted column that differs: the names of the columns
that form the associated data."""


POINTER = "pointer"
"""Column that binds a picture to its row."""


class SealedBytes(LargeBinary):
    """Encrypted bytes."""


class SealedText(LargeBinary):
    """Encrypted text, as UTF-8."""


def place(table: str, column: str, key: Sequence[object]) -> bytes:
    """Associated data of a value: its table and column, and the values that identify its row."""
    return msgspec.json.encode([table, column, *key])


def sealed(vault: Vault, table: Table, values: Mapping[str, object]) -> dict[str, object]:
    """Encrypt the values of a row for writing; they must include the identifying columns."""
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
    """Encrypt the columns of many rows for writing, as `sealed` does for one row.

    Columns without any values are left unchanged.
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
    """Decrypt the values of a row.

    A damaged value becomes None and is named in `DAMAGED`.
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
    """Remove a damaged value from a row that was read, and log it."""
    row = next((values[name] for name in ("sn", "id", "seq") if name in values), "?")
    vault.damage.add(str(table.name), column, row, error)
    mark(values, column)


@attrs.frozen
class _Sealed:
    """An encrypted column; names are plain `str`, as JSON cannot encode SQLAlchemy's subclass."""

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
    """Check that the picture in a decrypted row is the one that was written with it.

    Otherwise, also if pictures were swapped in the database, the value is marked as damaged.
    """
    pointer, picture = values.pop(POINTER), values[column]
    if pointer != picture:
        values[DAMAGED] = [name for name in values.get(DAMAGED, ()) if name != POINTER]
        note(vault, table, values, column, "the picture is not the one of this row")
