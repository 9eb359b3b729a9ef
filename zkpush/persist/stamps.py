"""Stamps: how far each terminal has sent each data type (5)."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select
from zope.interface import implementer

from ..interfaces import IStamps
from .schema import stamps
from .upsert import insert


@implementer(IStamps)
class Stamps:
    """The stamps, on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, device_id: int) -> dict[str, str]:
        """Map the names of the tables a terminal has uploaded to their last stamps."""
        query = select(stamps.c.name, stamps.c.value).where(stamps.c.device_id == device_id)
        return dict(self._connection.execute(query).all())

    def remember(self, device_id: int, table: str, stamp: str) -> None:
        """Keep the stamp of an upload."""
        statement = insert(self._connection, stamps)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[stamps.c.device_id, stamps.c.name],
                set_={"value": statement.excluded.value},
            ),
            {"device_id": device_id, "name": table, "value": stamp},
        )

    def reset(self, device_id: int, table: str) -> None:
        """Forget a stamp, so that the next exchange asks for everything."""
        self._connection.execute(
            delete(stamps).where(stamps.c.device_id == device_id, stamps.c.name == table)
        )
