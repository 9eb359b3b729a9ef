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
from .databases import Database
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
        if writes:
            event.listen(connection, "before_cursor_execute", lambda *_: self._flush_rows())

    def flush(self) -> None:
        """Write what waits."""
        self._flush_rows()
        self.audit.flush()
        self.events.flush()

    def _flush_rows(self) -> None:
        self.attendance.flush()
        self.stamps.flush()

    def forget(self) -> None:
        """Drop what waits: it is not committed."""
        self.attendance.forget()
        self.stamps.forget()
        self.audit.forget()
        self.events.forget_waiting()
