"""Logs in the store: operations, errors, identity cards; kept as they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy
from sqlalchemy import Connection, select

from ..model import Page, Record
from ..protocol import fields
from ..protocol.records import Batch
from ..protocol.secrecy import EXTRA, RAW, secrets_of
from ..protocol.times import WallClock, far_off
from .databases import Database, Insert
from .rows import record
from .schema import devices
from .sealed import opened, sealed
from .vault import Vault


class Log:
    """Records of one type that are kept as they came: operations, errors, identity cards."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        connection: Connection,
        driver: Any,
        table: fields.Table,
        kept: sqlalchemy.Table,
    ) -> None:
        self._database = database
        self._vault = vault
        self._connection = connection
        self._driver = driver
        self._kept = kept
        self._time = table.names.index("time") if "time" in table.names else None
        timed = () if self._time is None else ("utc", "doubt")
        self._names = ("device_id", *timed, "received_at", "identity", *table.names, EXTRA, RAW)
        secrets = secrets_of(table)
        self._secret = [self._names.index(name) for name in secrets]

    def add(self, device_id: int, batch: Batch, clock: WallClock, now: int) -> None:
        """Store decoded records; one that is there already stays as it is.

        Records without a time are told apart by the stamp of their upload, by how often the same
        was in it, and, in a long upload, by the part of it. A terminal that sends a long upload
        again sends the same parts.
        """
        seen: Counter[bytes] = Counter()
        rows: list[tuple[object, ...]] = []
        part = f"\0{batch.part}" if batch.part else ""
        for row in batch.rows:
            timed: tuple[object, ...] = ()
            said = msgspec.json.encode(row)
            if self._time is None:
                seen[said] += 1
                said += f"\0{batch.stamp or ''}\0{seen[said]}{part}".encode()
            else:
                time = str(row[self._time])
                utc = clock.utc(time)
                timed = (utc, far_off(utc, now // 1000) or clock.doubt(time))
            identity = self._vault.index(said)
            rows.append((device_id, *timed, now, identity, *row))
        rows = [self._sealed(row) for row in rows]
        if rows:
            columns: Sequence[Sequence[object]] = list(zip(*rows, strict=True))
            self._database.insert(self._driver, Insert(self._kept, self._names, columns))

    def _sealed(self, row: tuple[object, ...]) -> tuple[object, ...]:
        if all(row[place] is None for place in self._secret):
            return row
        values = dict(zip(self._names, row, strict=True))
        return tuple(sealed(self._vault, self._kept, values).values())

    def page(self, part: Page, device: str | None) -> list[Record]:
        """List records by id."""
        kept = self._kept
        query = (
            select(kept, devices.c.sn.label("device"))
            .join(devices, devices.c.id == kept.c.device_id)
            .where(kept.c.id > part.after)
            .order_by(kept.c.id)
            .limit(part.limit)
        )
        if device is not None:
            query = query.where(devices.c.sn == device)
        return [
            record(opened(self._vault, kept, row._mapping))
            for row in self._connection.execute(query)
        ]
