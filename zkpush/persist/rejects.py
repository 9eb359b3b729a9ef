"""What terminals sent and nobody understood: kept with its bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, select
from zope.interface import implementer

from ..interfaces import IRejects
from ..model import Page, StoredReject
from ..protocol.records import Reject
from .databases import Database, Insert
from .schema import devices, plain, rejects
from .sealed import opened, sealed
from .vault import Vault

_NAMES = ("device_id", "table_name", "reason", "raw", "digest", "received_at")


def _said(reject: Reject) -> bytes:
    """What tells rejects apart: their bytes, or the reason if those are not kept."""
    return b"\0".join((reject.table.encode(), reject.raw or reject.reason.encode()))


@implementer(IRejects)
class Rejects:
    """The rejects, on one connection."""

    def __init__(
        self, database: Database, vault: Vault, connection: Connection, driver: Any
    ) -> None:
        self._database = database
        self._vault = vault
        self._connection = connection
        self._driver = driver

    def add(self, device_id: int, rejects_: Sequence[Reject], now: int) -> None:
        """Keep rejects; the same bytes from the same terminal are kept once."""
        if rejects_:
            rows = [self._row(device_id, reject, now) for reject in rejects_]
            columns = [[row[name] for row in rows] for name in _NAMES]
            self._database.insert(self._driver, Insert(rejects, _NAMES, columns))

    def _row(self, device_id: int, reject: Reject, now: int) -> Mapping[str, object]:
        return sealed(
            self._vault,
            rejects,
            {
                "device_id": device_id,
                "table_name": plain(reject.table),
                "reason": plain(reject.reason),
                "raw": reject.raw,
                "digest": self._vault.index(_said(reject)),
                "received_at": now,
            },
        )

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
        return [self._reject(row._mapping) for row in self._connection.execute(query)]

    def _reject(self, row: RowMapping) -> StoredReject:
        values = opened(self._vault, rejects, row)
        values |= {"device": values["sn"], "table": values["table_name"]}
        return msgspec.convert(values, StoredReject)
