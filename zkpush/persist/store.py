"""The store: a writer, readers, and the database they work on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from ..interfaces import IStore, StoreError
from .databases import Database
from .migrate import migrate_thd
from .transaction import Transaction
from .writer import GroupCommitWriter

T = TypeVar("T")
READERS = 4
"""Threads that run queries."""


@implementer(IStore)
class Store:
    """Keeps everything in one SQL database."""

    def __init__(self, open_database: Callable[[], Database], reactor: IReactorFromThreads) -> None:
        self._open_database = open_database
        self._reactor = reactor
        self._readers = ThreadPool(0, READERS, "zkpush readers")
        self._database: Database | None = None
        self.writer: GroupCommitWriter | None = None

    def start(self) -> None:
        """Open the database and migrate it; `StoreError` says what to do if that fails."""
        database = self._open_database()
        try:
            migrate_thd(database)
        except BaseException:
            database.close()
            raise
        self._database = database
        self._readers.start()
        self.writer = GroupCommitWriter(database, self._reactor)
        self.writer.start()

    async def stop(self) -> None:
        """Commit all units that were handed in, then close."""
        writer, self.writer = self.writer, None
        if writer is None or self._database is None:
            return
        await writer.stop()
        await self._in_thread(self._database.close)
        self._readers.stop()

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """Run a unit of work and commit it; comes back when it is on disk."""
        return await self._running().submit(unit)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run a query that sees all that was committed, on a thread of its own."""
        writer = self._running()
        if self._database is not None and self._database.concurrent_readers:
            return await self._in_thread(self._read_thd, query)
        return await writer.submit(query)

    def _running(self) -> GroupCommitWriter:
        if self.writer is None:
            raise StoreError("the store is not open")
        return self.writer

    def _in_thread(self, function: Callable[..., T], *args: object) -> Deferred[T]:
        return threads.deferToThreadPool(self._reactor, self._readers, function, *args)

    def _read_thd(self, query: Callable[[Transaction], T]) -> T:
        database = self._database
        if database is None:
            raise StoreError("the store is not open")
        try:
            with database.engine.connect() as connection, connection.begin():
                return query(Transaction(connection, database.placeholder))
        except SQLAlchemyError as error:
            raise StoreError(f"the database did not answer: {error.__class__.__name__}") from error
