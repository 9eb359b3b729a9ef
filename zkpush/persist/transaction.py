"""A unit of work: a transaction on one connection, and the stores that work in it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, event

from .buffers import BufferedInserts
from .databases import Database, Insert
from .vault import Vault

S = TypeVar("S")


class TransactionEnded(Exception):
    """A transaction is gone, although nobody has committed it, or rolled it back, who may."""

    def __init__(self, handler: str | None, error: BaseException, *, lost: bool) -> None:
        super().__init__("the transaction was ended by what ran in it")
        self.handler = handler
        """The handler that ended it; None if it was not one of a plugin."""
        self.error = error
        """What was raised in it, or else what showed that it is gone."""
        self.lost = lost
        """Whether the connection is gone, too."""


class Transaction:
    """The transaction that a connection is in, and the stores that read and write in it.

    `tx[Store]` is the store of a class, for the connection: any class that is made with a
    `Transaction` alone. It is made at first use and stays for as long as the connection does.

    Rows that stores buffer (`BufferedInserts`) are written before any other statement of the
    connection, or at the end of the group of units, as the store says.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        connection: Connection,
        now: Callable[[], int],
        *,
        writes: bool,
    ) -> None:
        """`now` tells the time, in milliseconds."""
        self.database = database
        self.vault = vault
        self.connection = connection
        self.driver: Any = connection.connection.driver_connection
        self.now = now
        self.writes = writes
        self._stores: dict[Callable[[Transaction], Any], Any] = {}
        self._buffers: list[BufferedInserts] = []
        """The stores that buffer rows, in the order in which these are written."""
        self._rows: list[BufferedInserts] = []
        """Those of them whose rows are written before the next statement."""
        self.attempted = False
        """Whether the unit that runs has called `attempt`."""
        self.apart = False
        """Whether each handler of the unit has a savepoint."""
        self.excluded: Mapping[str, BaseException] = {}
        """Handlers that are not called in this transaction, and why."""
        if writes:
            event.listen(connection, "before_cursor_execute", lambda *_: self._flush_rows())

    def __getitem__(self, kind: Callable[[Transaction], S]) -> S:
        """The store of a class."""
        store: S | None = self._stores.get(kind)
        return self._make(kind) if store is None else store

    def _make(self, kind: Callable[[Transaction], S]) -> S:
        store = kind(self)
        self._stores[kind] = store
        if isinstance(store, BufferedInserts):
            self._buffers.append(store)
            self._buffers.sort(key=_place)
            self._rows = [buffer for buffer in self._buffers if not buffer.order]
        return store

    def insert(self, *inserts: Insert) -> None:
        """Insert rows now, with as few statements as it takes."""
        self.database.insert(self.driver, *inserts)

    def begin(self) -> None:
        """Begin, below SQLAlchemy: that has a transaction once it is asked something, or never."""
        self.apart, self.excluded = False, {}
        self.database.begin(self.driver)

    def finish(self) -> None:
        """Write what is still pending; raise unless a commit will store all of the transaction."""
        self.database.finish(self.driver, self.take())

    def commit(self) -> None:
        """Commit, below SQLAlchemy or with it; `OutOfReach` if the file of the database is gone."""
        (self.connection if self.connection.in_transaction() else self.driver).commit()
        self.database.confirm(self.driver)

    def roll_back(self) -> None:
        """Leave nothing behind."""
        (self.connection if self.connection.in_transaction() else self.driver).rollback()

    def attempt(
        self, handler: str, trusted: bool, work: Callable[..., object], *arguments: object
    ) -> BaseException | None:
        """Call the code of a record handler, by its name, as a part of the unit.

        Returns what it raised, if it was undone without the rest of the unit. A handler that is not
        `trusted` always has a savepoint, and one that ends the transaction is left out when the
        unit is run again. What a `trusted` one raises first fails the unit, which is run again with
        savepoints. What it raises because the database fails is raised then.
        """
        self.attempted = True
        if handler in self.excluded:
            return self.excluded[handler]
        if trusted and not self.apart:
            work(*arguments)
            return None
        point = self.savepoint(None if trusted else handler)
        try:
            work(*arguments)
            point.check()
        except TransactionEnded:
            raise
        except BaseException as error:
            point.undo(error)
            if trusted and self.database.is_outside(error):
                raise
            return error
        point.release()
        return None

    def savepoint(self, handler: str | None = None) -> Savepoint:
        """Write pending rows and set a savepoint; `handler` is the plugin that is called next."""
        self.flush()
        return Savepoint(self, self.database, handler)

    def flush(self) -> None:
        """Write pending rows."""
        inserts = self.take()
        if inserts:
            self.database.check(self.driver)  # its words are better than those of an insert
            self.insert(*inserts)

    def take(self) -> list[Insert]:
        """Take the pending rows; nothing is pending afterwards."""
        inserts: list[Insert] = []
        for buffer in self._buffers:
            if buffer.waiting:
                inserts += buffer.take()
        return inserts

    def _flush_rows(self) -> None:
        for buffer in self._rows:
            buffer.flush()

    def forget(self) -> None:
        """Drop pending rows: they are not committed."""
        for buffer in self._buffers:
            buffer.forget_waiting()


def _place(buffer: BufferedInserts) -> tuple[int, str]:
    """Where a store comes when pending rows are written; the same in all processes."""
    return buffer.order, type(buffer).__name__


class Savepoint:
    """A savepoint below SQLAlchemy, whose own takes longer than an upload.

    Its name cannot be guessed, so that one which can be released proves that the transaction is the
    one in which it was set.
    """

    def __init__(self, transaction: Transaction, database: Database, handler: str | None) -> None:
        self._transaction = transaction
        self._database = database
        self._handler = handler
        self._name = f"zkpush_{secrets.token_hex(16)}"
        transaction.driver.execute(f"SAVEPOINT {self._name}")

    def check(self) -> None:
        """Write pending rows; raise unless the transaction can go on."""
        self._transaction.flush()
        self._database.check(self._transaction.driver)

    def release(self) -> None:
        """Keep what was done since; `TransactionEnded` if the transaction is another one."""
        try:
            self._transaction.driver.execute(f"RELEASE SAVEPOINT {self._name}")
        except self._database.errors as error:
            raise self._ended(error) from error

    def undo(self, error: BaseException) -> None:
        """Undo what was done since, because of an error; `TransactionEnded` if that cannot be."""
        self._transaction.forget()
        try:
            for action in ("ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"):
                self._transaction.driver.execute(f"{action} {self._name}")
        except self._database.errors as gone:
            raise self._ended(error) from gone

    def _ended(self, error: BaseException) -> TransactionEnded:
        lost = self._database.is_lost(self._transaction.driver)
        return TransactionEnded(self._handler, error, lost=lost)
