"""Dense uploads: many records that are so short that reading them at once would cost too much.

A record costs about the same however short it is, so that a body of the shortest records costs many
times as much as the attendance records that terminals send all day. `Table.least_bytes` is the
length at which a record of a table costs about twice what attendance records of that length cost.
An upload with more than `FEW_RECORDS` shorter records, which fall short by more than `ALLOWANCE`
bytes in total, is dense: it is read up to there, and its further lines of tables with short records
are deferred. They are kept as they came, and stored in the background, a bounded number a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .fields import Table

FEW_RECORDS = 100
"""Short records of an upload, or of one part of a long one, that are always read at once."""
ALLOWANCE = 8 * 1024
"""Bytes by which all short records of an upload may fall short: more records than `FEW_RECORDS` are
read at once if they are only a little too short."""


class DensityGauge:
    """Measures the records of one upload, line by line."""

    def __init__(self) -> None:
        self._deferred: dict[str, tuple[Table, list[bytes]]] = {}
        self._short = 0
        self._missing = 0

    def defers(self, table: Table, line: bytes, length: int) -> bool:
        """Count a line of a table; whether it is deferred, and need not be read now.

        `length` is that of the line without its keyword. All lines of a table that follow a
        deferred one are deferred, so that they are stored in their order.
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
        """Whether lines of a table are deferred."""
        return table.name in self._deferred

    def defer(self, table: Table, lines: Iterable[bytes]) -> None:
        """Defer lines of a table of which some are deferred."""
        self._deferred[table.name][1].extend(lines)

    def deferred(self) -> Iterator[tuple[Table, list[bytes]]]:
        """The deferred lines of each table, in their order."""
        yield from self._deferred.values()
