"""What terminals sent and nobody understood: kept with its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select
from zope.interface import implementer

from ..interfaces import IRejects
from ..model import Page, StoredReject
from ..protocol.records import Reject
from .databases import Database
from .schema import devices, plain, rejects

_NAMES = ("device_id", "table_name", "reason", "raw", "digest", "received_at")


@implementer(IRejects)
class Rejects:
    """The rejects, on one connection."""

    def __init__(self, database: Database, connection: Connection, driver: Any) -> None:
        self._database = database
        self._connection = connection
        self._driver = driver

    def add(self, device_id: int, rejects_: Sequence[Reject], now: int) -> None:
        """Keep rejects; the same bytes from the same terminal are kept once."""
        if rejects_:
            rows = [
                (
                    device_id,
                    plain(reject.table),
                    plain(reject.reason),
                    reject.raw,
                    hashlib.sha256(reject.table.encode() + b"\0" + reject.raw).digest(),
                    now,
                )
                for reject in rejects_
            ]
            columns = list(zip(*rows, strict=True))
            self._database.insert(self._driver, rejects, _NAMES, columns)

    def page(self, part: Page, device: str | None) -> list[StoredReject]:
        """List rejects by id."""
        query = (
            select(rejects, devices.c.sn)
            .join(devices)
            .where(rejects.c.id > part.after)
            .order_by(rejects.c.id)
            .limit(part.limit)
        )
        if device is not None:
            query = query.where(devices.c.sn == device)
        return [
            StoredReject(
                id=row.id,
                device=row.sn,
                table=row.table_name,
                reason=row.reason,
                raw=row.raw,
                received_at=row.received_at,
            )
            for row in self._connection.execute(query)
        ]
