"""The store: a writer, readers and the database they work on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import attrs
from sqlalchemy.exc import DBAPIError
from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from ..clock import wall_clock
from ..containment import report
from ..interfaces import (
    IBringsTables,
    INamesPictures,
    IPluginConnection,
    IStore,
    StoreError,
)
from ..problems import ServerProblem
from ..protocol.rejects import Reject
from ..values.setaside import InboxItem, SealedItems, SealedRejects
from ..values.storage import DatabaseClaim, StoragePlace
from . import collection
from .damage import DamageLog
from .databases import READERS, Database
from .identity import find_identity, no_database
from .inbox import seal_items
from .lineages import BackupNeeded
from .migrate import migrate_thd
from .pluginconnection import PluginConnection, SharedConnection
from .rejectrows import seal_rejects
from .transaction import Transaction
from .vault import Vault
from .writer import NOT_OPEN, GroupCommitWriter

T = TypeVar("T")
PREPARE_SECONDS = 60.0
"""Seconds that a start waits for a handler to create its tables."""


@implementer(IStore)
class Store:
    """Store of all data in one SQL database."""

    _log = Logger()

    def __init__(
        self,
        open_database: Callable[[], Database],
        reactor: IReactorFromThreads,
        missing: Callable[[], str | None] | None = None,
    ) -> None:
        """`missing` returns the location of a database that does not exist yet, else None.

        It is called before the database is opened, because opening would create it.
        """
        self._open_database = open_database
        self._missing = missing
        self._reactor = reactor
        self._wall = wall_clock(reactor)
        self._readers = ThreadPool(0, READERS, "zkpush readers")
        self._database: Database | None = None
        self._vault: Vault
        self._held = contextlib.ExitStack()
        self._damage = DamageLog(self._now)
        self.writer = GroupCommitWriter(reactor, self._now)
        self.write = self.writer.submit
        """Run a unit of work and commit it; the Deferred fires when it is on disk."""
        self.unprepared: Sequence[IBringsTables] = ()

    def start(
        self, brings: Sequence[IBringsTables] = (), claim: DatabaseClaim | None = None
    ) -> tuple[str, str] | None:
        """Open and migrate the database, then let handlers create their tables.

        Each handler has a transaction of its own. Raises `StoreError`, which says what to do.
        Returns the identity and location of the database, or None for a database in memory.
        """
        if claim is not None and claim.has_had_one and not claim.is_new and self._missing:
            where = self._missing()
            if where is not None:
                raise no_database(claim, where)
        database = self._open_database()
        held = contextlib.ExitStack()
        try:
            held.enter_context(database.held())
            vault = attrs.evolve(migrate_thd(database, claim), damage=self._damage)
            with database.readers.connect() as connection:
                identity = find_identity(connection)
            database.prepare_thd()
            naming = [one.name for one in brings if INamesPictures.providedBy(one)]
            if naming:
                with database.engine.begin() as connection:
                    collection.record_plugins(connection, naming)
            self.unprepared = [one for one in brings if not self._is_prepared(database, vault, one)]
        except BaseException:
            database.close()
            held.close()
            raise
        self._held = held
        self._database = database
        self._vault = vault
        self._readers.start()
        self.writer.start(database, vault)
        return (str(identity), database.where) if database.is_kept else None

    def connection(self) -> IPluginConnection:
        """Return a connection for the transactions of one plugin."""
        writer = self._running()
        if self._database is None or not self._database.concurrent_readers:
            return SharedConnection(writer, self._reactor)
        return PluginConnection(self._database, self._vault, self._now)

    def _is_prepared(self, database: Database, vault: Vault, handler: IBringsTables) -> bool:
        """Let a handler create or upgrade its tables; False if it failed.

        An upgrade is preceded by a backup, which takes as long as it takes.
        """
        name = str(getattr(handler, "name", type(handler).__name__))
        error = self._prepare_in_time(database, vault, handler, name)
        if isinstance(error, BackupNeeded):
            error = self._upgrade(database, vault, handler, name, error)
        if error is not None:
            report(f"record handler {name}", "making its tables", error)
        return error is None

    def _upgrade(
        self,
        database: Database,
        vault: Vault,
        handler: IBringsTables,
        name: str,
        needed: BackupNeeded,
    ) -> BaseException | None:
        """Back up the database, then let a handler upgrade its tables; return the error."""
        error: BaseException | None = None
        try:
            with database.backed_up(needed.copy_name):
                error = self._prepare_in_time(database, vault, handler, name)
                if error is not None:
                    raise StoreError(f"the upgrade of {name} failed")
        except StoreError as failed:
            return error or failed
        return None

    def _prepare_in_time(
        self, database: Database, vault: Vault, handler: IBringsTables, name: str
    ) -> BaseException | None:
        """Let a handler create its tables on a thread, with a time limit; return the error."""
        drivers: list[Any] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                self._prepare_thd(database, vault, handler, drivers)
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run, name=f"zkpush prepare {name}", daemon=True)
        thread.start()
        thread.join(PREPARE_SECONDS)
        if thread.is_alive():
            errors.append(TimeoutError())
            for driver in drivers:
                database.abort(driver)
        return errors[0] if errors else None

    def _prepare_thd(
        self, database: Database, vault: Vault, handler: IBringsTables, drivers: list[Any]
    ) -> None:
        """Let a handler create its tables; concurrent processes take turns."""
        with database.migrating() as connection:
            transaction = Transaction(database, vault, connection, self._now, writes=True)
            drivers.append(transaction.driver)
            handler.prepare(transaction)
            transaction.flush()
            database.check(transaction.driver)

    async def stop(self) -> None:
        """Commit all submitted units, then close."""
        if not self.writer.is_open or self._database is None:
            return
        await self.writer.stop()
        await self._in_thread(self._database.close)
        self._held.close()
        self._readers.stop()

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run a query on its own thread; it sees everything committed before."""
        writer = self._running()
        if self._database is not None and self._database.concurrent_readers:
            return await self._in_thread(self._read_thd, query)
        return await writer.submit(query)

    def seal_rejects(
        self,
        device_id: int,
        rejects: Sequence[Reject],
        now: int,
        attempts: int = 0,
        address: str | None = None,
    ) -> SealedRejects | None:
        """Encrypt rejects; may run on any thread. Raises `StoreError` if the store is not open."""
        self._running()
        if not rejects:
            return None
        return seal_rejects(self._vault, device_id, rejects, now, attempts, address)

    async def collect_pictures(
        self, shard: str, before: int, hooks: Sequence[INamesPictures]
    ) -> list[str]:
        """Remove the pictures of a shard that no row names; return the removed ones."""
        writer = self._running()
        if self._database is not None and self._database.concurrent_readers:
            return await self._in_thread(self._collect_thd, shard, before, hooks)
        database = self._opened()

        def unit(tx: Transaction) -> list[str]:
            old = [*collection.old_thd(database, tx.connection, shard, before)]
            return collection.remove_thd(database, tx, old, before, hooks)

        return await writer.submit(unit)

    async def missing_picture_plugins(self, present: Collection[str]) -> list[str]:
        """List the plugins that have named pictures and are not present."""
        return await self.read(lambda tx: collection.missing_plugins(tx.connection, present))

    def _collect_thd(self, shard: str, before: int, hooks: Sequence[INamesPictures]) -> list[str]:
        """Find unreferenced pictures without a lock, then check and remove them in batches."""
        database = self._opened()

        def find(tx: Transaction) -> list[str]:
            old = [*collection.old_thd(database, tx.connection, shard, before)]
            return collection.unnamed_thd(tx, old, hooks)

        removed: list[str] = []
        try:
            for part in collection.parts(self._query_thd(database, find)):
                with database.engine.connect() as connection, connection.begin():
                    tx = Transaction(database, self._vault, connection, self._now, writes=True)
                    removed += collection.remove_thd(database, tx, part, before, hooks)
        except database.errors as error:
            raise _unanswered(error) from error
        return removed

    def _opened(self) -> Database:
        if self._database is None:
            raise StoreError(NOT_OPEN)
        return self._database

    def places(self) -> Sequence[StoragePlace]:
        """List the local files and folders of the database."""
        return [] if self._database is None else self._database.places()

    def problems(self) -> list[ServerProblem]:
        """List the damaged values that this process has seen."""
        return self._damage.problems()

    def seal_items(self, items: Sequence[InboxItem]) -> SealedItems | None:
        """Encrypt items for the inbox; may run on any thread. Raises `StoreError` if not open."""
        self._running()
        return seal_items(self._vault, items) if items else None

    def counts(self) -> dict[str, int]:
        """Count committed units of work, their commits, and rejected and pending units."""
        writer = self.writer
        return {
            "units": writer.units,
            "commits": writer.commits,
            "failed": writer.failed,
            "pending": writer.pending,
        }

    def _running(self) -> GroupCommitWriter:
        if not self.writer.is_open:
            raise StoreError(NOT_OPEN)
        return self.writer

    def _in_thread(self, function: Callable[..., T], *args: object) -> Deferred[T]:
        return threads.deferToThreadPool(self._reactor, self._readers, function, *args)

    def _read_thd(self, query: Callable[[Transaction], T]) -> T:
        database = self._opened()
        try:
            return self._query_thd(database, query)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise _unanswered(error) from error
        except database.errors as error:
            raise _unanswered(error) from error
        try:  # the server may have been restarted, and reading again is safe
            return self._query_thd(database, query)
        except database.errors as error:
            raise _unanswered(error) from error

    def _query_thd(self, database: Database, query: Callable[[Transaction], T]) -> T:
        with database.readers.connect() as connection, connection.begin():
            transaction = Transaction(database, self._vault, connection, self._now, writes=False)
            result = query(transaction)
            transaction.flush()  # nothing is pending, or the read-only connection rejects it
            return result

    def _now(self) -> int:
        """The time, in milliseconds since the epoch."""
        return int(self._wall() * 1000)


def _unanswered(error: Exception) -> StoreError:
    return StoreError(f"the database did not answer: {error.__class__.__name__}")
