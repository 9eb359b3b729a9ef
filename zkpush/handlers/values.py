"""Values of decoded rows by the names of their fields."""

from __future__ import annotations

from ..protocol.fields import Row, Table


def value_of(table: Table, row: Row, name: str) -> object:
    """The value of a field in a row."""
    return row[table.names.index(name)]
