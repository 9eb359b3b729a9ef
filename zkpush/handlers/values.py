"""From decoded rows to the columns they are kept in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..protocol.fields import Table
from ..protocol.records import Row


def values_of(table: Table, rows: Iterable[Row]) -> Iterator[dict[str, object]]:
    """The values of each row by the names of the table's fields, with `extra` and `raw`."""
    names = (*table.names, "extra", "raw")
    for row in rows:
        yield dict(zip(names, row, strict=True))


def value_of(table: Table, row: Row, name: str) -> object:
    """The value of a field in a row."""
    return row[table.names.index(name)]
