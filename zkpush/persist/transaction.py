"""A unit of work: the components of the store, one a noun, on one connection."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, event
from zope.interface import implementer

from ..interfaces import ITransaction
from .attendance import Attendance
from .commands import Commands
from .databases import Database
from .devices import Devices
from .leases import Leases
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
        self.devices = Devices(database, connection, writes=writes)
        self.stamps = Stamps(database, connection, self.driver)
        self.attendance = Attendance(database, connection, self.driver)
        self.rejects = Rejects(database, connection, self.driver)
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
