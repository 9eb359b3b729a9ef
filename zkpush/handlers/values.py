"""From a decoded row to the columns it is kept in."""

from __future__ import annotations

from ..protocol.fields import Table
from ..protocol.records import Row


def values_of(table: Table, row: Row) -> dict[str, object]:
    """The values of a row by the names of the table's fields, with `extra` and `raw`."""
    return dict(zip((*table.names, "extra", "raw"), row, strict=True))
