"""A unit of work: the components of the store, one a noun, on one connection."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, event

from ..protocol.tables import ERRORLOG, IDCARD, OPLOG
from . import schema
from .attendance import Attendance
from .audit import Audit
from .commands import Commands
from .commkeys import CommKeys
from .databases import Database, Insert
from .devices import Devices
from .entries import Entries
from .events import Events
from .files import Files
from .inbox import Inbox
from .leases import Leases
from .logs import Log
from .people import People
from .photos import AttendancePhotos
from .pictures import Pictures
from .rejects import Rejects
from .sessions import Sessions
from .stamps import Stamps
from .tokens import Tokens
from .vault import Vault
from .waiting import BufferedInserts


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
    """Everything that can be read and written, in the transaction that the connection is in.

    What waits to be written together is written before any other statement of the connection, so
    that nobody can tell that it waited; but for events and the audit log, which wait for the end of
    the group.
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
        self.vault = vault
        self.connection = connection
        self.driver: Any = connection.connection.driver_connection
        parts = (database, connection, self.driver)
        sealing = (database, vault, connection, self.driver)
        self.events = Events(*parts, now)
        self.devices = Devices(database, vault, connection, self.events, writes=writes)
        self.comm_keys = CommKeys(connection)
        self.sessions = Sessions(connection, self.devices, vault)
        self.stamps = Stamps(*parts)
        self.attendance = Attendance(*sealing)
        self.operations = Log(*sealing, OPLOG, schema.operations)
        self.errors = Log(*sealing, ERRORLOG, schema.errors)
        self.idcards = Log(*sealing, IDCARD, schema.idcards)
        self.pictures = Pictures(*sealing, now)
        self.photos = AttendancePhotos(*sealing, self.pictures)
        self.people = People(*sealing, self.pictures, self.events)
        self.entries = Entries(*sealing)
        self.rejects = Rejects(*sealing)
        self.inbox = Inbox(*sealing)
        self.commands = Commands(vault, connection, self.events)
        self.files = Files(vault, connection, self.pictures)
        self.audit = Audit(database, vault, connection, self.driver)
        self.tokens = Tokens(connection)
        self.leases = Leases(connection)
        self._rows: tuple[BufferedInserts, ...] = (self.attendance, self.stamps)
        self._waiting: tuple[BufferedInserts, ...] = (
            *self._rows,
            self.inbox,
            self.audit,
            self.events,
        )
        self._database = database
        self.attempted = False
        """Whether the unit that runs has called `attempt`."""
        self.apart = False
        """Whether each handler of the unit has a savepoint."""
        self.excluded: Mapping[str, BaseException] = {}
        """Handlers that are not called in this transaction, and why."""
        if writes:
            event.listen(connection, "before_cursor_execute", lambda *_: self._flush_rows())

    def begin(self) -> None:
        """Begin, below SQLAlchemy: that has a transaction once it is asked something, or never."""
        self._database.begin(self.driver)

    def commit(self) -> None:
        """Commit, below SQLAlchemy or with it; `OutOfReach` if the file of the database is gone."""
        (self.connection if self.connection.in_transaction() else self.driver).commit()
        self._database.confirm(self.driver)

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
            if trusted and self._database.is_outside(error):
                raise
            return error
        point.release()
        return None

    def savepoint(self, handler: str | None = None) -> Savepoint:
        """Write pending rows and set a savepoint; `handler` is the plugin that is called next."""
        self.flush()
        return Savepoint(self, self._database, handler)

    def flush(self) -> None:
        """Write pending rows."""
        waiting = self.take()
        if waiting:
            self._database.check(self.driver)  # its words are better than those of an insert
            self._database.insert(self.driver, *waiting)

    @property
    def is_repeatable(self) -> bool:
        """Whether writing the pending rows twice has the same result as writing them once."""
        return not any(part.waits for part in self._waiting if not part.is_repeatable)

    def take(self) -> list[Insert]:
        """All that waits; it waits no more."""
        return [insert for part in self._waiting for insert in part.take()]

    def _flush_rows(self) -> None:
        for part in self._rows:
            part.flush()

    def forget(self) -> None:
        """Drop pending rows: they are not committed."""
        for part in self._waiting:
            part.forget_waiting()


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
