"""The group-commit writer: one thread, one connection, one fsync for all units that wait.

While a commit is on its way to the disk, new units queue up; the next commit takes them all. A
unit's Deferred fires after the commit, so that whoever waits for it may say so to a terminal.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..interfaces import StoreError
from .databases import WRITES, Database
from .transaction import Transaction

T = TypeVar("T")
MOST_UNITS = 1000
"""Most units in one commit, so that the first of them does not wait for ever."""


@attrs.define(eq=False)
class _Unit:
    run: Callable[[Transaction], Any]
    done: Deferred[Any]
    outcome: Any = None


class GroupCommitWriter:
    """Runs units of work, in the order they come, and commits them in groups."""

    _log = Logger()

    def __init__(self, database: Database, reactor: IReactorFromThreads) -> None:
        self._database = database
        self._reactor = reactor
        self._waiting: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run_thd, name="zkpush writer", daemon=True)
        self._connection: Connection | None = None
        self._stopped: Deferred[None] | None = None
        self.units = 0
        """Units that were committed."""
        self.commits = 0
        """Commits that it took."""

    def start(self) -> None:
        """Start the writer's thread."""
        self._thread.start()

    def submit(self, unit: Callable[[Transaction], T]) -> Deferred[T]:
        """Hand in a unit; the Deferred has its result, once it is on disk.

        It fails with the unit's own exception, or with `StoreError` if the database did.
        """
        done: Deferred[T] = Deferred()
        if self._stopped is not None:
            done.errback(StoreError("the store is closed"))
        else:
            self._waiting.put(_Unit(unit, done))
        return done

    def stop(self) -> Deferred[None]:
        """Take no more units; the Deferred fires when all that were handed in are committed."""
        self._stopped = Deferred()
        self._waiting.put(None)
        return self._stopped

    def _run_thd(self) -> None:
        last = False
        while not last:
            group, last = self._next_group_thd()
            if group:
                self._commit_group_thd(group)
                self._reactor.callFromThread(self._deliver, group)
        if self._connection is not None:
            self._connection.close()
        self._reactor.callFromThread(self._finish)

    def _next_group_thd(self) -> tuple[list[_Unit], bool]:
        """Wait for a unit, then take all that have come meanwhile; True if it was the last."""
        group: list[_Unit] = []
        unit = self._waiting.get()
        while unit is not None:
            group.append(unit)
            if len(group) == MOST_UNITS:
                return group, False
            try:
                unit = self._waiting.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit_group_thd(self, group: list[_Unit]) -> None:
        """Commit a group; if that fails, its units one by one, so that only the guilty fails."""
        try:
            self._commit_thd(group)
        except Exception as error:
            if len(group) > 1:
                for unit in group:
                    self._commit_group_thd([unit])
                return
            if isinstance(error, SQLAlchemyError | StoreError):
                self._log.error("A unit of work was not stored: {error}", error=_cause(error))
                error = StoreError(f"the database refused: {_cause(error)}")
            group[0].outcome = Failure(error)

    def _commit_thd(self, group: list[_Unit]) -> None:
        connection = self._connect_thd()
        try:
            with connection.begin():
                transaction = Transaction(connection, self._database.placeholder)
                for unit in group:
                    unit.outcome = unit.run(transaction)
        except SQLAlchemyError:
            if connection.invalidated:
                connection.close()
                self._connection = None
            raise
        self.commits += 1
        self.units += len(group)

    def _connect_thd(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.engine.connect().execution_options(**{WRITES: True})
        return self._connection

    def _deliver(self, group: list[_Unit]) -> None:
        for unit in group:
            unit.done.callback(unit.outcome)

    def _finish(self) -> None:
        self._thread.join()
        if self._stopped is not None:
            self._stopped.callback(None)


def _cause(error: Exception) -> object:
    """The driver's own words: SQLAlchemy's repeat the parameters, which may be secret."""
    return error.orig if isinstance(error, DBAPIError) else error
