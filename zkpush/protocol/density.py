"""Dense uploads: many short records, which would cost too much to decode at once.

The cost of a record hardly depends on its length, so a body of the shortest records costs many
times as much as one of ordinary attendance records. `Table.least_bytes` is the length at which a
record costs about twice as much as attendance records of that length. An upload is dense if it has
more than `FEW_RECORDS` shorter records and they fall short by more than `ALLOWANCE` bytes in total.
It is decoded up to that point; further lines of tables with short records are deferred. They are
kept unchanged and stored in the background, a limited number a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .fields import Table

FEW_RECORDS = 100
"""Number of short records of an upload, or a part of one, that are always decoded at once."""
ALLOWANCE = 8 * 1024
"""Total bytes by which the short records of an upload may fall short: more than `FEW_RECORDS` are
decoded at once if they are only slightly too short."""


class DensityGauge:
    """Measures the records of one upload line by line."""

    def __init__(self) -> None:
        self._deferred: dict[str, tuple[Table, list[bytes]]] = {}
        self._short = 0
        self._missing = 0

    def defers(self, table: Table, line: bytes, length: int) -> bool:
        """Count a line of a table; returns whether it is deferred.

        `length` excludes the keyword. All lines of a table after a deferred one are deferred, too,
        so that they are stored in order.
        """
        own = self._deferred.get(table.name)
        if own is not None:
            own[1].append(line)
            return True
        missing = table.least_bytes - length
        if missing <= 0:
            return False
        self._short += 1
        self._missing += missing
        if self._short <= FEW_RECORDS or self._missing <= ALLOWANCE:
            return False
        self._deferred[table.name] = (table, [line])
        return True

    def has(self, table: Table) -> bool:
        """Whether any lines of a table are deferred."""
        return table.name in self._deferred

    def defer(self, table: Table, lines: Iterable[bytes]) -> None:
        """Defer lines of a table that already has deferred lines."""
        self._deferred[table.name][1].extend(lines)

    def deferred(self) -> Iterator[tuple[Table, list[bytes]]]:
        """The deferred lines of each table, in order."""
        yield from self._deferred.values()
