"""A unit of work: the components of the store, one a noun, on one connection."""

from __future__ import annotations

from sqlalchemy import Connection
from zope.interface import implementer

from ..interfaces import ITransaction
from .attendance import Attendance
from .commands import Commands
from .devices import Devices
from .rejects import Rejects
from .stamps import Stamps


@implementer(ITransaction)
class Transaction:
    """Everything that can be read and written, in the transaction that the connection is in."""

    def __init__(self, connection: Connection, placeholder: str) -> None:
        self.connection = connection
        self.devices = Devices(connection)
        self.stamps = Stamps(connection)
        self.attendance = Attendance(connection, placeholder)
        self.rejects = Rejects(connection)
        self.commands = Commands(connection)
