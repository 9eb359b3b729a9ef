"""Transactions of plugins: one connection per plugin, and an abort for slow ones.

A plugin can end only its own transaction, and an abort bounds how long it holds locks.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import blockingCallFromThread
from zope.interface import implementer

from ..interfaces import IPluginConnection, OutOfReach, StoreError
from .databases import Database
from .transaction import Transaction, TransactionEnded
from .vault import Vault
from .writer import GroupCommitWriter

T = TypeVar("T")


@implementer(IPluginConnection)
class PluginConnection:
    """Connection of one plugin, used for nothing else."""

    def __init__(self, database: Database, vault: Vault, now: Callable[[], int]) -> None:
        self._database = database
        self._vault = vault
        self._now = now
        self._transaction: Transaction | None = None
        self._lock = threading.Lock()
        """Held while a transaction begins or ends, so that a committed one is not aborted."""

    def run_thd(self, unit: Callable[[Transaction], T]) -> T:
        """Run a unit of work and commit it."""
        if self._transaction is None:
            self._transaction = self._connect_thd()
        transaction = self._transaction
        try:
            transaction.begin()
            point = transaction.savepoint("plugin")
            result = unit(transaction)
            point.check()
            point.release()
            with self._lock:
                if self._transaction is not transaction:
                    raise StoreError("the transaction took too long, and was ended")
                transaction.commit()
        except BaseException as error:
            transaction.forget()
            with self._lock:
                is_aborted = self._transaction is not transaction
                self._transaction = None
            # The plugin may have changed the state of the connection, so it is not reused.
            with contextlib.suppress(*self._database.errors):
                transaction.roll_back()
            self._close_thd(transaction)
            outside = None if is_aborted else self._outside(error)
            if outside is not None:
                raise OutOfReach(outside) from error
            raise
        return result

    def _outside(self, error: BaseException) -> str | None:
        """Describe the fault of the database; None if the plugin is at fault."""
        cause = error.error if isinstance(error, TransactionEnded) else error
        is_lost = isinstance(error, TransactionEnded) and error.lost
        if isinstance(cause, self._database.errors):
            if is_lost or self._database.is_outside(cause):
                return f"the database did not answer: {self._database.words(cause)}"
        elif is_lost:
            return "the connection was lost"
        return None

    def abort_thd(self) -> None:
        """Abort the running transaction."""
        with self._lock:
            transaction, self._transaction = self._transaction, None
        if transaction is not None:
            self._database.abort(transaction.driver)

    def close_thd(self) -> None:
        """Close the connection."""
        with self._lock:
            transaction, self._transaction = self._transaction, None
        if transaction is not None:
            self._close_thd(transaction)

    def _close_thd(self, transaction: Transaction) -> None:
        with contextlib.suppress(*self._database.errors):
            transaction.connection.close()

    def _connect_thd(self) -> Transaction:
        try:
            connection = self._database.engine.connect()
        except self._database.errors as error:
            words = self._database.words(error)
            raise OutOfReach(f"the database is out of reach: {words}") from error
        return Transaction(self._database, self._vault, connection, self._now, writes=True)


@implementer(IPluginConnection)
class SharedConnection:
    """The writer's connection, for a database in memory, which has no other."""

    def __init__(self, writer: GroupCommitWriter, reactor: IReactorFromThreads) -> None:
        self._writer = writer
        self._reactor = reactor

    def run_thd(self, unit: Callable[[Transaction], T]) -> T:
        """Run a unit of work and commit it."""

        results: list[T] = []

        def attempted(transaction: Transaction) -> BaseException | None:
            results.clear()
            return transaction.attempt("plugin", False, lambda: results.append(unit(transaction)))

        submit: Any = self._writer.submit
        failed: BaseException | None = blockingCallFromThread(
            self._reactor, submit, attempted, True
        )
        if failed is not None:
            raise failed
        return results[0]

    def abort_thd(self) -> None:
        """Do nothing, since the writer waits for the unit."""

    def close_thd(self) -> None:
        """Do nothing, since the connection belongs to the writer."""
