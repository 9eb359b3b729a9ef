"""Damaged values: sealed values that do not open, and pictures that are not their row's own.

A damaged value is a problem of its own item: a reader gets None for it and the name of its column
in `damaged`, and everything else as ever. Each is logged once by a process, and listed as a problem
until that process ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import Logger

from ..problems import ProblemCode, ServerProblem

DAMAGED = "damaged"
"""In the values of a row: the names of its damaged columns."""
MOST = 1000
"""Damaged values that are remembered; more are logged each time they are read."""
LISTED = 20
"""Problems that are listed; the last one counts the others."""


class DamageLog:
    """The damaged values that this process has met; for any thread."""

    _log = Logger()

    def __init__(self, now: Callable[[], int] = lambda: 0) -> None:
        """`now` returns the time, in milliseconds since the epoch."""
        self.now = now
        self._lock = threading.Lock()
        self._met: dict[tuple[str, str, str], int] = {}

    def add(self, table: str, column: str, row: object, error: object) -> None:
        """Log a damaged value, unless this process has done so before."""
        value = (table, column, str(row))
        with self._lock:
            if value in self._met:
                return
            if len(self._met) < MOST:
                self._met[value] = self.now()
        self._log.error(
            "{table}.{column} of row {row} is damaged and shown as null: {error}",
            table=table,
            column=column,
            row=value[2],
            error=str(error),
        )

    def since(self, table: str, row: object) -> int:
        """When this process first met a damaged value of a row, in milliseconds."""
        with self._lock:
            met = [at for (of, _, key), at in self._met.items() if (of, key) == (table, str(row))]
        return min(met, default=self.now())

    def problems(self) -> list[ServerProblem]:
        """A problem for each damaged value."""
        with self._lock:
            met = [*self._met.items()]
        found = [
            ServerProblem(
                code=ProblemCode.DAMAGED,
                subject=f"{table} {row}",
                detail=f"{column} does not open, or belongs to another row",
                since_at=at,
            )
            for (table, column, row), at in met[:LISTED]
        ]
        if len(met) > LISTED:
            found.append(
                ServerProblem(
                    code=ProblemCode.DAMAGED,
                    subject="database",
                    detail=f"{len(met) - LISTED} more values are damaged; see the log",
                    since_at=met[LISTED][1],
                )
            )
        return found


def mark(values: dict[str, Any], column: str) -> None:
    """Take a damaged value out of the values of a row."""
    values[column] = None
    values.setdefault(DAMAGED, []).append(column)


def damaged_in(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The damaged columns of a row that was read."""
    return tuple(values.get(DAMAGED, ()))
