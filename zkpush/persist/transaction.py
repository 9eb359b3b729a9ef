"""A unit of work: the components of the store, one a noun, on one connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event
from zope.interface import implementer

from ..interfaces import ITransaction
from ..protocol.tables import ERRORLOG, IDCARD, OPLOG
from . import schema
from .attendance import Attendance
from .audit import Audit
from .commands import Commands
from .databases import Database, Insert
from .devices import Devices
from .entries import Entries
from .events import Events
from .files import Files
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
from .waiting import Waiting


@implementer(ITransaction)
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
        self.sessions = Sessions(connection, self.devices, vault)
        self.stamps = Stamps(*parts)
        self.attendance = Attendance(*parts)
        self.operations = Log(*sealing, OPLOG, schema.operations)
        self.errors = Log(*sealing, ERRORLOG, schema.errors)
        self.idcards = Log(*sealing, IDCARD, schema.idcards)
        self.pictures = Pictures(*sealing)
        self.photos = AttendancePhotos(*sealing, self.pictures)
        self.people = People(*sealing, self.pictures, self.events)
        self.entries = Entries(*sealing)
        self.rejects = Rejects(*sealing)
        self.commands = Commands(vault, connection, self.events)
        self.files = Files(vault, connection, self.pictures)
        self.audit = Audit(*parts)
        self.tokens = Tokens(connection)
        self.leases = Leases(connection)
        self._rows: tuple[Waiting, ...] = (self.attendance, self.stamps)
        self._waiting: tuple[Waiting, ...] = (*self._rows, self.audit, self.events)
        self._database = database
        if writes:
            event.listen(connection, "before_cursor_execute", lambda *_: self._flush_rows())

    def begin(self) -> None:
        """Begin, below SQLAlchemy: that has a transaction once it is asked something, or never."""
        self._database.begin(self.driver)

    def commit(self) -> None:
        """Commit, whoever has begun."""
        (self.connection if self.connection.in_transaction() else self.driver).commit()

    def roll_back(self) -> None:
        """Leave nothing behind."""
        (self.connection if self.connection.in_transaction() else self.driver).rollback()

    def flush(self) -> None:
        """Write what waits."""
        waiting = self.take()
        if waiting:
            self._database.check(self.driver)  # its words are better than those of an insert
            self._database.insert(self.driver, *waiting)

    @property
    def is_repeatable(self) -> bool:
        """Whether to write what waits twice would be the same as to write it once."""
        return not any(part.waits for part in self._waiting if not part.is_repeatable)

    def take(self) -> list[Insert]:
        """All that waits; it waits no more."""
        return [insert for part in self._waiting if (insert := part.take()) is not None]

    def _flush_rows(self) -> None:
        for part in self._rows:
            part.flush()

    def forget(self) -> None:
        """Drop what waits: it is not committed."""
        for part in self._waiting:
            part.forget_waiting()
