"""Columns that are sealed: what is written in them opens in its own row only.

`schema` says which columns those are, by their types, and which columns say what a row is about.
Only that, and not the number of a row, is known before it is written.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import LargeBinary, RowMapping, Table

from .vault import Vault

KEY = "sealed for"
"""In the `info` of a table: the names of the columns that say what a row is about."""


class SealedBytes(LargeBinary):
    """Bytes that are sealed."""


class SealedText(LargeBinary):
    """Text that is sealed, as UTF-8."""


def place(table: str, column: str, key: Sequence[object]) -> bytes:
    """What a sealed value is about: a column, of the row with these values."""
    return msgspec.json.encode([table, column, *key])


def sealed(vault: Vault, table: Table, values: Mapping[str, object]) -> dict[str, object]:
    """The values of a row as they are written; those of its key must be among them."""
    own, key, columns = _sealed_columns(table)
    row = dict(values)
    about = [row[name] for name in key]
    for name, _ in columns:
        value = row.get(name)
        if value is not None:
            plain = value.encode() if isinstance(value, str) else value
            assert isinstance(plain, bytes)  # noqa: S101
            row[name] = vault.seal(plain, place(own, name, about))
    return row


def opened(vault: Vault, table: Table, row: RowMapping) -> dict[str, Any]:
    """The values of a row that was read; `NotUnsealed` if one is not what was written there."""
    own, key, columns = _sealed_columns(table)
    values: dict[str, Any] = {str(name): row[name] for name in row}
    about = [values[name] for name in key]
    for name, is_text in columns:
        value = values.get(name)
        if value is not None:
            plain = vault.open(bytes(value), place(own, name, about))
            values[name] = plain.decode() if is_text else plain
    return values


@functools.cache
def _sealed_columns(table: Table) -> tuple[str, tuple[str, ...], tuple[tuple[str, bool], ...]]:
    """The names of a table, its key and its sealed columns; whether each of these is text.

    As plain texts: a name in SQLAlchemy is more than that, which JSON cannot hold.
    """
    return (
        str(table.name),
        table.info[KEY],
        tuple(
            (str(column.name), isinstance(column.type, SealedText))
            for column in table.columns
            if isinstance(column.type, SealedText | SealedBytes)
        ),
    )
