"""Logs in the store: operations, errors, identity cards; kept as they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy
from sqlalchemy import Connection, select

from ..model import Page, Record
from ..protocol import fields
from ..protocol.records import Batch
from ..protocol.secrecy import EXTRA, RAW
from ..protocol.times import WallClock, far_off
from .databases import Database, Insert
from .rows import record
from .schema import devices
from .sealed import opened, seal_columns
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

    def add(self, device_id: int, batch: Batch, clock: WallClock, now: int) -> None:
        """Store decoded records; one that is there already stays as it is.

        Records without a time are told apart by the stamp of their upload, by how often the same
        was in it, and, in a long upload, by the part of it. A terminal that sends a long upload
        again sends the same parts.
        """
        count = len(batch.rows)
        if not count:
            return
        said = [msgspec.json.encode(row) for row in batch.rows]
        values: list[Sequence[object]] = list(zip(*batch.rows, strict=True))
        timed: list[Sequence[object]] = []
        if self._time is None:
            said = list(_numbered(said, batch))
        else:
            times = [str(time) for time in values[self._time]]
            instants = [clock.utc(time) for time in times]
            second = now // 1000
            doubts = [
                far_off(instant, second) or clock.doubt(time)
                for time, instant in zip(times, instants, strict=True)
            ]
            timed = [instants, doubts]
        identities = [self._vault.index(one) for one in said]
        columns = ([device_id] * count, *timed, [now] * count, identities, *values)
        written = seal_columns(self._vault, self._kept, self._names, columns)
        self._database.insert(self._driver, Insert(self._kept, self._names, written))

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


def _numbered(said: Iterable[bytes], batch: Batch) -> Iterator[bytes]:
    """What tells records without a time apart, beside what they say."""
    seen: Counter[bytes] = Counter()
    stamp = f"\0{batch.stamp or ''}\0"
    part = f"\0{batch.part}" if batch.part else ""
    for one in said:
        seen[one] += 1
        yield one + f"{stamp}{seen[one]}{part}".encode()
