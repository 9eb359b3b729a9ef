"""Units of work that share a transaction, and the isolation of failures among them.

A group first runs without savepoints (`zkpush.persist.writer`). If it fails, it is rolled back and
run once more in one transaction, with a savepoint for each unit. The unit that failed also gets a
savepoint for each handler (`Transaction.attempt`). Only the failing unit then fails; the others are
committed together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..interfaces import StoreError
from .databases import Database
from .transaction import Transaction, TransactionEnded

MOST_BROKEN = 3
"""After this many units have ended the transaction of a group, the rest of the group fails."""
MOST_LOST = 2
"""A handler is blamed after the connection was lost in it this many times."""


class Unit(msgspec.Struct, eq=False):
    """One unit of work and its outcome."""

    run: Callable[[Transaction], Any]
    done: Deferred[Any]
    risky: bool = False
    """Whether it calls code that might end the transaction; see `IStore.write`."""
    outcome: Any = None
    settled: bool = False
    """Whether it has failed permanently and is not run again."""

    @property
    def is_refused(self) -> bool:
        """Whether the store rejected it for a reason outside the unit."""
        return self.settled and isinstance(self.outcome.value, StoreError)


@attrs.define(eq=False)
class Group:
    """Units committed together."""

    _log = Logger()

    units: list[Unit]
    database: Database
    careful: bool = False
    """Whether each unit has a savepoint."""
    running: Unit | None = None
    """The running unit; None before the first unit and after the last."""
    _suspect: Unit | None = None
    attempted: bool = False
    """Whether the unit that failed has called `Transaction.attempt`."""
    _excluded: dict[str, BaseException] = attrs.field(factory=dict)
    _lost: dict[str, int] = attrs.field(factory=dict)
    _broken: int = 0

    def pending(self) -> list[Unit]:
        """Return the units that have not failed."""
        return [unit for unit in self.units if not unit.settled]

    def run_thd(self, transaction: Transaction) -> None:
        """Run the units in a begun transaction, each with its own savepoint.

        Raises the error that makes the whole group fail.
        """
        transaction.excluded = self._excluded
        for unit in self.pending():
            self.running = unit
            transaction.attempted = False
            self._run_apart_thd(transaction, unit)
        self.running = None

    def be_careful(self, error: BaseException) -> bool:
        """Prepare to rerun the group with savepoints; False if that would change nothing."""
        is_one = len(self.units) == 1
        if self.careful or (is_one and (not self.attempted or self.database.is_outside(error))):
            return False
        self.careful, self._suspect = True, self.running
        return True

    def blame(self, ended: TransactionEnded) -> None:
        """Exclude the handler, or fail the unit, that ended the transaction.

        A lost connection may have another cause, so the first loss is forgiven.
        """
        self.careful = True
        who = ended.handler or ""
        if ended.lost:
            self._lost[who] = self._lost.get(who, 0) + 1
            if self._lost[who] < MOST_LOST:
                return
        if ended.handler is not None:
            self._excluded[ended.handler] = ended
        else:
            self.fail(self.guilty(), ended.error)

    def guilty(self) -> list[Unit]:
        """Return the unit that ran when the transaction was lost; all if that is inconclusive."""
        self._broken += 1
        if self.running is None or self._broken > MOST_BROKEN:
            return self.pending()
        return [self.running]

    def fail(self, units: list[Unit], error: BaseException) -> None:
        """Fail units with an error."""
        if isinstance(error, self.database.errors):
            error = StoreError(f"the database refused: {self.database.words(error)}")
        elif not isinstance(error, Exception):
            # `SystemExit` and the like, which end a process or thread elsewhere, fail only the unit
            # here.
            error = UnitAborted(f"a unit of work raised {type(error).__name__}")
        if isinstance(error, StoreError):
            self._log.error(
                "{count} units of work were not stored: {error}",
                count=len(units),
                error=str(error),
            )
        for unit in units:
            unit.outcome, unit.settled = Failure(error), True

    def _run_apart_thd(self, transaction: Transaction, unit: Unit) -> None:
        transaction.apart = unit is self._suspect
        while True:
            point = transaction.savepoint()
            try:
                unit.outcome = unit.run(transaction)
                point.check()
            except BaseException as error:
                if self._has_ended(error) or self._is_passing(transaction, error):
                    raise
                point.undo(error)
                if transaction.attempted and not transaction.apart:
                    transaction.apart = True
                    continue
                self.fail([unit], error)
                return
            point.release()
            return

    def _has_ended(self, error: BaseException) -> bool:
        """Whether the transaction is gone.

        A unit that needs an excluded handler may re-raise the error with which that handler ended
        an earlier transaction. The current transaction continues then, and only the unit fails.
        """
        return isinstance(error, TransactionEnded) and error.handler not in self._excluded

    def _is_passing(self, transaction: Transaction, error: BaseException) -> bool:
        """Whether the whole group may succeed if it is run again."""
        return isinstance(error, self.database.errors) and (
            self.database.is_lost(transaction.driver) or self.database.is_passing(error)
        )


class UnitAborted(Exception):
    """Raised for a unit of work that raised a non-`Exception`, such as `SystemExit`."""
