"""Damaged values: encrypted values that fail to decrypt, and pictures swapped between rows.

A reader gets None for a damaged value and the name of its column in `damaged`; other values are
unaffected. Each process logs a damaged value once, and lists it as a problem until the process
ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import Logger

from ..phrases import Phrase, counted_phrase
from ..problems import ProblemCode, ServerProblem

DAMAGED = "damaged"
"""Key in the values of a row: the names of its damaged columns."""
MOST = 1000
"""Most damaged values remembered; further ones are logged at each read."""
LISTED = 20
"""Most problems listed; one further problem counts the rest."""


class DamageLog:
    """Damaged values seen by this process; thread-safe."""

    _log = Logger()

    def __init__(self, now: Callable[[], int] = lambda: 0) -> None:
        """`now` returns the time in milliseconds since the epoch."""
        self.now = now
        self._lock = threading.Lock()
        self._met: dict[tuple[str, str, str], int] = {}

    def add(self, table: str, column: str, row: object, error: object) -> None:
        """Log a damaged value, unless it was logged before."""
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
        """When this process first saw a damaged value of a row, in milliseconds."""
        with self._lock:
            met = [at for (of, _, key), at in self._met.items() if (of, key) == (table, str(row))]
        return min(met, default=self.now())

    def problems(self) -> list[ServerProblem]:
        """List a problem for each damaged value."""
        with self._lock:
            met = [*self._met.items()]
        found = [
            ServerProblem(
                code=ProblemCode.DAMAGED,
                subject=f"{table} {row}",
                detail=Phrase("%(column)s does not open, or belongs to another row", column=column),
                since_at=at,
            )
            for (table, column, row), at in met[:LISTED]
        ]
        if len(met) > LISTED:
            found.append(
                ServerProblem(
                    code=ProblemCode.DAMAGED,
                    subject=Phrase("database"),
                    detail=counted_phrase(
                        "%(num)s more value is damaged; see the log",
                        "%(num)s more values are damaged; see the log",
                        len(met) - LISTED,
                    ),
                    since_at=met[LISTED][1],
                )
            )
        return found


def mark(values: dict[str, Any], column: str) -> None:
    """Set a damaged value to None and note its column."""
    values[column] = None
    values.setdefault(DAMAGED, []).append(column)


def damaged_in(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The damaged columns of a row that was read."""
    return tuple(values.get(DAMAGED, ()))
