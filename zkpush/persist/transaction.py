"""A unit of work: the components of the store, one a noun, on one connection."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, event
from zope.interface import implementer

from ..interfaces import ITransaction
from ..protocol.tables import ERRORLOG, IDCARD, OPLOG
from . import schema
from .attendance import Attendance
from .commands import Commands
from .databases import Database
from .devices import Devices
from .entries import Entries
from .leases import Leases
from .logs import Log
from .people import People
from .photos import AttendancePhotos
from .pictures import Pictures
from .rejects import Rejects
from .stamps import Stamps


@implementer(ITransaction)
class Transaction:
    """Everything that can be read and written, in the transaction that the connection is in.

    What waits to be written together is written before any other statement of the connection, so
    that nobody can tell that it waited.
    """

    def __init__(self, database: Database, connection: Connection, *, writes: bool) -> None:
        self.connection = connection
        self.driver: Any = connection.connection.driver_connection
        parts = (database, connection, self.driver)
        self.devices = Devices(database, connection, writes=writes)
        self.stamps = Stamps(*parts)
        self.attendance = Attendance(*parts)
        self.operations = Log(*parts, OPLOG, schema.operations)
        self.errors = Log(*parts, ERRORLOG, schema.errors)
        self.idcards = Log(*parts, IDCARD, schema.idcards)
        self.pictures = Pictures(*parts)
        self.photos = AttendancePhotos(*parts, self.pictures)
        self.people = People(*parts, self.pictures)
        self.entries = Entries(*parts)
        self.rejects = Rejects(*parts)
        self.commands = Commands(connection)
        self.leases = Leases(connection)
        if writes:
            event.listen(connection, "before_cursor_execute", lambda *_: self.flush())

    def flush(self) -> None:
        """Write what waits."""
        self.attendance.flush()
        self.stamps.flush()

    def forget(self) -> None:
        """Drop what waits: it is not committed."""
        self.attendance.forget()
        self.stamps.forget()
