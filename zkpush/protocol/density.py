"""Dense uploads: many short records, which would cost too much to decode at once.

The cost of a record hardly depends on its length, so a body of the shortest records costs many
times as much as one of ordinary attendance records. `Table.least_bytes` is the length at which a
record costs about twice as much as attendance records of that length. An upload is dense if it has
more than `FEW_RECORDS` shorter records and they fall short by more than `ALLOWANCE` bytes in total.
It is decoded up to that point; further lines of tables with short records are deferred. They are
kept unchanged and stored in the background, a limited number a second. Records that cannot be
deferred (`Table.is_placed`) become one reject, with those before them in the upload.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .fields import Row, Table

FEW_RECORDS = 50
"""Number of short records of an upload, or a part of one, that are always decoded at once."""
ODD = 64
"""Bytes by which a record with an undeclared or undecodable value counts as shorter, where records
cannot be deferred: it costs about twice as much as others."""
TOO_MANY = "too many short records in one upload; a retry stores them"
"""Reason of the reject of records that cannot be deferred."""
ALLOWANCE = 8 * 1024
"""Total bytes by which the short records of an upload may fall short: more than `FEW_RECORDS` are
decoded at once if they are only slightly too short."""


class DensityGauge:
    """Measures the records of one upload line by line."""

    def __init__(self) -> None:
        self._deferred: dict[str, tuple[Table, list[bytes]]] = {}
        self._short = 0
        self._missing = 0

    def defers(self, table: Table, length: int) -> bool:
        """Count a line of a table; whether to `defer` it.

        `length` is that of the line without its keyword. All lines of a table that follow a
        deferred one are deferred, so that they are stored in their order.
        """
        if table.name in self._deferred:
            return True
        missing = table.least_bytes - length
        if missing <= 0:
            return False
        self._short += 1
        self._missing += missing
        return self._short > FEW_RECORDS and self._missing > ALLOWANCE

    def defers_row(self, table: Table, row: Row, length: int) -> bool:
        """Count a decoded record that cannot be deferred; whether there are too many now."""
        return row[-2:] != (None, None) and self.defers(table, length - ODD)

    @property
    def is_dense(self) -> bool:
        """Whether any lines are deferred."""
        return bool(self._deferred)

    def has(self, table: Table) -> bool:
        """Whether any lines of a table are deferred."""
        return table.name in self._deferred

    def defer(self, table: Table, lines: Iterable[bytes]) -> None:
        """Defer lines of a table."""
        self._deferred.setdefault(table.name, (table, []))[1].extend(lines)

    def deferred(self) -> Iterator[tuple[Table, list[bytes]]]:
        """The deferred lines of each table, in order."""
        yield from self._deferred.values()
