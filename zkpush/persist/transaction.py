"""Unit of work: a transaction on one connection, and the stores that work in it."""

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
    """Raised when a transaction is gone although its owner did not commit it or roll it back."""

    def __init__(self, handler: str | None, error: BaseException, *, lost: bool) -> None:
        super().__init__("the transaction was ended by what ran in it")
        self.handler = handler
        """Plugin whose handler ended it; None if it was no plugin's."""
        self.error = error
        """The error raised in it, or else the error that revealed its end."""
        self.lost = lost
        """Whether the connection is gone too."""


class Transaction:
    """The transaction of a connection, and the stores that read and write in it.

    `tx[Store]` returns the store of that class for the connection. Any class whose only argument is
    a `Transaction` will do. It is created at first use and lives as long as the connection.

    Buffered rows (`BufferedInserts`) are written before the next statement of the connection or at
    the end of the group of units, as the store declares.
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
        """`now` returns the time in milliseconds."""
        self.database = database
        self.vault = vault
        self.connection = connection
        self.driver: Any = connection.connection.driver_connection
        self.now = now
        self.writes = writes
        self._stores: dict[Callable[[Transaction], Any], Any] = {}
        self._buffers: list[BufferedInserts] = []
        """Stores that buffer rows, in writing order."""
        self._rows: list[BufferedInserts] = []
        """Stores among them whose rows are written before the next statement."""
        self.attempted = False
        """Whether the running unit has called `attempt`."""
        self.apart = False
        """Whether each handler of the unit gets a savepoint."""
        self.excluded: Mapping[str, BaseException] = {}
        """Handlers not called in this transaction, with the errors that excluded them."""
        if writes:
            event.listen(connection, "before_cursor_execute", lambda *_: self._flush_rows())

    def __getitem__(self, kind: Callable[[Transaction], S]) -> S:
        """Return the store of a class."""
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
        """Insert rows now, with as few statements as possible."""
        self.database.insert(self.driver, *inserts)

    def take_turn(self, name: str) -> None:
        """Wait until no other process holds this turn in a transaction; keep it until the end.

        What was checked in a turn still holds when it is written.
        """
        self.database.take_turn(self.driver, name)

    def begin(self) -> None:
        """Begin below SQLAlchemy, which would begin only at the first statement, if at all."""
        self.apart, self.excluded = False, {}
        self.database.begin(self.driver)

    def finish(self) -> None:
        """Write the pending rows; raise unless a commit will store the whole transaction."""
        self.database.finish(self.driver, self.take())

    def commit(self) -> None:
        """Commit, through SQLAlchemy if it is in a transaction, else through the driver.

        Raises `OutOfReach` if the database file is gone.
        """
        (self.connection if self.connection.in_transaction() else self.driver).commit()
        self.database.confirm(self.driver)

    def roll_back(self) -> None:
        """Roll back."""
        (self.connection if self.connection.in_transaction() else self.driver).rollback()

    def attempt(
        self, handler: str, trusted: bool, work: Callable[..., object], *arguments: object
    ) -> BaseException | None:
        """Call the code of a record handler, named `handler`, as part of the unit.

        Returns the error of the code if it was undone without the rest of the unit. A handler that
        is not `trusted` always gets a savepoint; one that ends the transaction is skipped when the
        unit is rerun. The first error of a `trusted` handler fails the unit, which is rerun with
        savepoints. Errors of a `trusted` handler caused by the database itself are always raised.
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
        """Write pending rows and set a savepoint; `handler` is the plugin called next."""
        self.flush()
        return Savepoint(self, self.database, handler)

    def flush(self) -> None:
        """Write pending rows."""
        inserts = self.take()
        if inserts:
            self.database.check(self.driver)  # gives a clearer error than a failing insert
            self.insert(*inserts)

    def take(self) -> list[Insert]:
        """Take the pending rows as inserts."""
        inserts: list[Insert] = []
        for buffer in self._buffers:
            if buffer.waiting:
                inserts += buffer.take()
        return inserts

    def _flush_rows(self) -> None:
        for buffer in self._rows:
            buffer.flush()

    def forget(self) -> None:
        """Drop the pending rows, because they are rolled back."""
        for buffer in self._buffers:
            buffer.forget_waiting()


def _place(buffer: BufferedInserts) -> tuple[int, str]:
    """Position of a store when pending rows are written; the same in all processes."""
    return buffer.order, type(buffer).__name__


class Savepoint:
    """Savepoint below SQLAlchemy, whose own takes longer than an upload.

    Its name cannot be guessed. A successful release therefore proves that the transaction is the
    one in which it was set.
    """

    def __init__(self, transaction: Transaction, database: Database, handler: str | None) -> None:
        self._transaction = transaction
        self._database = database
        self._handler = handler
        self._name = f"zkpush_{secrets.token_hex(16)}"
        transaction.driver.execute(f"SAVEPOINT {self._name}")

    def check(self) -> None:
        """Write pending rows; raise unless the transaction can continue."""
        self._transaction.flush()
        self._database.check(self._transaction.driver)

    def release(self) -> None:
        """Keep the changes since; raises `TransactionEnded` if the transaction is another one."""
        try:
            self._transaction.driver.execute(f"RELEASE SAVEPOINT {self._name}")
        except self._database.errors as error:
            raise self._ended(error) from error

    def undo(self, error: BaseException) -> None:
        """Undo the changes since, because of an error; raises `TransactionEnded` if impossible."""
        self._transaction.forget()
        try:
            for action in ("ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"):
                self._transaction.driver.execute(f"{action} {self._name}")
        except self._database.errors as gone:
            raise self._ended(error) from gone

    def _ended(self, error: BaseException) -> TransactionEnded:
        lost = self._database.is_lost(self._transaction.driver)
        return TransactionEnded(self._handler, error, lost=lost)
