"""Group-commit writer: one thread, one connection, and one fsync for all pending units.

While a commit is being written, new units queue up for the next one. The Deferred of a unit fires
after the commit, so that the terminal is answered `OK` only then.

Terminals that have just been answered often send their next upload at once. So if many units were
in progress, the next group waits for a few milliseconds, until about as many have come again: a
commit costs as much as a dozen uploads, and the two threads compete for the interpreter in each.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime

from ..interfaces import OutOfReach, StoreError
from .databases import Database
from .group import Group, Unit
from .transaction import Transaction, TransactionEnded
from .vault import Vault

T = TypeVar("T")
MOST_UNITS = 1000
"""Most units that are handed over at a time, which bounds the wait of the first unit."""
MOST_TURNS = 3
"""Most reactor turns in which units are gathered, at first and after each pause."""
MANY = 8
"""Fewest units in progress for which the next group waits for others."""
ENOUGH = 64
"""Most units that a group waits for; in a larger group, a unit costs hardly less."""
PAUSE_SECONDS = 0.001
"""Length of a pause in which a group waits for units."""
MOST_PAUSES = 4
"""Most pauses of a group. It ends after one that brings no unit."""
NOT_OPEN = "the store is not open"
TRIES = 4
"""Most runs of a group whose failures are transient."""
_is_risky = attrgetter("risky")


class GroupCommitWriter:
    """Runs units of work in order of arrival, and commits them in groups."""

    def __init__(self, reactor: IReactorFromThreads, now: Callable[[], int]) -> None:
        """`now` returns the time in milliseconds."""
        self._database: Database
        self._vault: Vault
        self._reactor = reactor
        self._call_later = IReactorTime(reactor).callLater
        self._now = now
        self._collected: list[Unit] = []
        self._waiting: queue.SimpleQueue[list[Unit] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run_thd, name="zkpush writer", daemon=True)
        self._transaction: Transaction | None = None
        self.is_open = False
        """Whether units are accepted."""
        self._stopped: Deferred[None] = Deferred()
        self._is_storing = False
        """Whether the thread has a group that is not delivered yet."""
        self._awaited = 0
        """Number of units that the next group waits for."""
        self._pauses = 0
        """How many more pauses it waits."""
        self.pending = 0
        """Units submitted and not yet delivered."""
        self.units = 0
        """Units committed."""
        self.commits = 0
        """Commits made."""
        self.failed = 0
        """Units rejected by the store."""

    def start(self, database: Database, vault: Vault) -> None:
        """Accept units, and start the thread that writes them; possible once."""
        self._database = database
        self._vault = vault
        self._thread.start()
        self.is_open = True

    def submit(self, unit: Callable[[Transaction], T], risky: bool = False) -> Deferred[T]:
        """Submit a unit; the Deferred fires with its result once it is on disk.

        It fails with the unit's own exception, or with `StoreError` if the database failed or is
        not open. A `risky` unit shares its transaction only with other risky ones.
        """
        done: Deferred[T] = Deferred()
        if not self.is_open:
            done.errback(StoreError(NOT_OPEN))
            return done
        self._collected.append(Unit(unit, done, risky))
        self.pending += 1
        if len(self._collected) == 1 and not self._is_storing:
            self._call_later(0, self._gather, 0, MOST_TURNS)
        return done

    def _gather(self, before: int, turns: int, before_pause: int = 0) -> None:
        """Wait for a reactor turn that brings no new units, then hand them over.

        An idle reactor's turn ends at once, so this delays nothing; when many terminals send at
        once, their uploads share a commit. If many units were in progress, it then pauses until
        `_awaited` have come. `before_pause` is their number before the last pause.
        """
        count = len(self._collected)
        if before < count < MOST_UNITS and turns:
            self._call_later(0, self._gather, count, turns - 1, before_pause)
        elif before_pause < count < self._awaited and self._pauses:
            self._pauses -= 1
            self._call_later(PAUSE_SECONDS, self._gather, count, MOST_TURNS, count)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        """Pass a group to the writer's thread at once, so that it wakes once."""
        units, self._collected = self._collected[:MOST_UNITS], self._collected[MOST_UNITS:]
        if units:
            self._is_storing = True
            self._waiting.put(units)

    def stop(self) -> Deferred[None]:
        """Accept no more units; the Deferred fires when all submitted ones are committed."""
        self.is_open = False
        while self._collected:
            self._hand_over()
        self._waiting.put(None)
        return self._stopped

    def _run_thd(self) -> None:
        last = False
        while not last:
            group, last = self._next_group_thd()
            if group:
                for _, units in groupby(group, _is_risky):
                    self._commit_group_thd([*units])
                self.failed += sum([unit.settled and unit.is_refused for unit in group])
                self._reactor.callFromThread(self._deliver, group)
        self.disconnect_thd()
        self._reactor.callFromThread(self._finish)

    def _next_group_thd(self) -> tuple[list[Unit], bool]:
        """Wait for a unit, then take all that have arrived; True if it was the last group."""
        group: list[Unit] = []
        units = self._waiting.get()
        while units is not None:
            group += units
            if len(group) >= MOST_UNITS:
                return group, False
            try:
                units = self._waiting.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit_group_thd(self, units: list[Unit]) -> None:
        """Commit units in one transaction; if that fails, rerun them isolated from each other."""
        group = Group(units, self._database)
        tries = TRIES
        while units:
            try:
                self._commit_thd(self._connect_thd(), group)
            except OutOfReach as error:
                group.fail(units, error)
            except TransactionEnded as ended:
                self.disconnect_thd()
                group.blame(ended)
            except BaseException as error:  # plugins may raise anything
                if self._recover_thd(error) and tries > 1:
                    tries -= 1
                elif not group.be_careful(error):
                    group.fail(group.guilty(), error)
            else:
                self.commits += 1
                self.units += len(group.pending() if group.careful else units)
                return
            units = group.pending()

    def _commit_thd(self, transaction: Transaction, group: Group) -> None:
        try:
            transaction.begin()
            if group.careful:
                group.run_thd(transaction)
            else:
                self._run_units_thd(transaction, group)
            transaction.finish()
        except BaseException:
            transaction.forget()
            with contextlib.suppress(*self._database.errors):
                transaction.roll_back()
            raise
        try:
            transaction.commit()
        except self._database.errors as error:
            if self._database.is_lost(transaction.driver):
                self.disconnect_thd()
                raise OutOfReach(
                    "the connection was lost in a commit; it may be stored, or not"
                ) from error
            raise

    def _run_units_thd(self, transaction: Transaction, group: Group) -> None:
        """Run units in order, without savepoints."""
        for unit in group.units:
            if unit.settled:
                continue
            group.running = unit
            transaction.attempted = False
            try:
                unit.outcome = unit.run(transaction)
            finally:
                group.attempted = transaction.attempted
        group.running = None

    def _recover_thd(self, error: BaseException) -> bool:
        """Clean up after a failed attempt; return whether another one may succeed."""
        if not isinstance(error, self._database.errors) or self._transaction is None:
            return False
        lost = self._database.is_lost(self._transaction.driver)
        # The connection may be in any state, so the next group gets a new one.
        self.disconnect_thd()
        return lost or self._database.is_passing(error)

    def _connect_thd(self) -> Transaction:
        if self._transaction is None:
            refusals: tuple[type[Exception], ...] = (StoreError, *self._database.errors)
            try:
                connection = self._database.engine.connect()
            except refusals as error:
                words = self._database.words(error)
                raise OutOfReach(f"the database is out of reach: {words}") from error
            self._transaction = Transaction(
                self._database, self._vault, connection, self._now, writes=True
            )
            self._database.prepare_writer(self._transaction.driver)
        return self._transaction

    def disconnect_thd(self) -> None:
        """Close the connection; the next group opens a new one."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            with contextlib.suppress(*self._database.errors):
                transaction.connection.close()

    def _deliver(self, group: list[Unit]) -> None:
        most = self.pending * 3 // 4
        self._awaited = min(most, ENOUGH) if self.pending >= MANY else 0
        self._pauses = MOST_PAUSES
        self.pending -= len(group)
        self._is_storing = False
        if len(self._collected) >= ENOUGH:
            self._hand_over()  # it is stored while this group is answered
        elif self._collected:
            self._call_later(0, self._gather, 0, MOST_TURNS)
        for unit in group:
            unit.done.callback(unit.outcome)

    def _finish(self) -> None:
        self._thread.join()
        self._stopped.callback(None)
