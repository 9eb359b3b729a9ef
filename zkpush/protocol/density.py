"""Dense records: shorter than those of any known terminal, and too many to be stored one by one.

A record costs about the same however short it is, so that a body of the shortest records that
decode costs many times as much as what terminals send. `Table.least_bytes` is what a record of a
real terminal has at least. An upload with more than `FEW_RECORDS` shorter records, which fall short
by more than `ALLOWANCE` bytes in total, is dense: the lines of each table with short records are
kept as one reject. Every byte is kept, none of it is acknowledged as stored, and it can be read
again.
"""

from __future__ import annotations

from collections.abc import Iterator

from .fields import Table
from .rejects import RejectList

FEW_RECORDS = 250
"""Short records of an upload, or of one part of a long one, that are always read."""
ALLOWANCE = 8 * 1024
"""Bytes by which all short records of an upload may fall short: more records than `FEW_RECORDS` are
read if they are only a little shorter than those of known terminals."""


class DensityGauge:
    """Measures the records of one upload, line by line."""

    def __init__(self) -> None:
        self._tables: dict[str, _Lines] = {}
        self._short = 0
        self._missing = 0

    @property
    def is_dense(self) -> bool:
        """Whether the upload is known to be dense."""
        return self._missing > ALLOWANCE and self._short > FEW_RECORDS

    def keeps(self, table: Table, line: bytes, length: int) -> bool:
        """Count a line of a table; whether it need not be decoded, because it is kept unread.

        `length` is that of the line without its keyword.
        """
        own = self._tables.get(table.name)
        if own is None:
            own = self._tables[table.name] = _Lines(table)
        missing = table.least_bytes - length
        if missing > 0:
            own.is_short = True
            self._short += 1
            self._missing += missing
        own.lines.append(line)
        return own.is_short and self.is_dense

    def dense(self) -> Iterator[tuple[Table, list[bytes]]]:
        """The tables with short records, if the upload is dense, and all of their lines."""
        if self.is_dense:
            for own in self._tables.values():
                if own.is_short:
                    yield own.table, own.lines


class _Lines:
    """The lines of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.lines: list[bytes] = []
        self.is_short = False


def keep_unread(table: Table, lines: list[bytes], rejects: RejectList) -> None:
    """Keep the dense lines of a table together."""
    count = len(lines)
    reason = (
        f"{count} records, too many of them shorter than {table.least_bytes} bytes: they are kept "
        "together, unread"
    )
    rejects.add(table.name, reason, b"\n".join(lines))
    rejects.count += count - 1
